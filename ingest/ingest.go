package ingest

import (
	"context"
	"errors"
	"net"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/account"
	"maskfleet/pkg/cache"
	"maskfleet/pkg/estimate"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/instance"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/lifecycle"
	"maskfleet/pkg/mail"
	"maskfleet/pkg/telemetry"
	"maskfleet/pkg/webui/login"
)

// Doors are the stores and the broker that a front door works with. Whoever opened
// them closes them, after Run.
type Doors struct {
	Store  *jobstore.Store
	Images *imagestore.Store
	Queue  *jobqueue.Queue
	Cache  *cache.Cache
}

// Service is one front door.
type Service struct {
	cfg       Config
	tel       *telemetry.Telemetry
	metrics   *metrics
	store     *jobstore.Store
	images    *imagestore.Store
	queue     *jobqueue.Queue
	cache     *cache.Cache
	accounts  *account.Accounts
	verifier  *verifier
	admission *admission
	quotas    *quotas
	callers   *callers
	publisher *publisher
	expander  *expander
	dispatch  *dispatcher
	estimator *estimate.Estimator
	eraser    *eraser
	deliverer *deliverer
	recoverer *recoverer
	neighbour *neighbour
	hub       *hub // of photos
	batchHub  *hub
	health    *httpserver.Health
	app       *fiber.App

	// pageError answers a browser with a page; mountPages sets it.
	pageError httpserver.ErrorRenderer
}

// New makes a front door on doors that are open already.
func New(cfg Config, doors Doors, tel *telemetry.Telemetry) (*Service, error) {
	m := newMetrics(tel.Registry)
	s := &Service{
		cfg:       cfg,
		tel:       tel,
		metrics:   m,
		store:     doors.Store,
		images:    doors.Images,
		queue:     doors.Queue,
		cache:     doors.Cache,
		accounts:  account.New(doors.Store, doors.Cache, cfg.Accounts),
		publisher: newPublisher(doors.Store, doors.Queue, cfg.Publisher, tel.Log, tel.Registry),
		eraser:    newEraser(doors, cfg.Erase, cfg.Instance.ID, tel.Log, tel.Registry),
		health:    &httpserver.Health{},
		pageError: httpserver.RenderJSON,
		admission: &admission{
			cfg: cfg.Admission, queue: doors.Queue, intake: doors.Queue, backlog: doors.Store, images: doors.Images, log: tel.Log,
			depth: m.queueDepth, memory: newBudget(cfg.Admission.UploadBytesInFlight, m.bytesInFlight),
		},
	}
	s.admission.ofBatch = newShare(s.admission.memory, cfg.Admission.UploadBytesInFlight/batchesShare, m.bytesOfBatches)
	s.neighbour = &neighbour{instance: cfg.Instance.ID, linger: cfg.DrainLinger, queue: doors.Queue, health: s.health, log: tel.Log}
	s.hub = newHub(s.lookAtPhoto, cfg.Waiting.PollInterval, tel.Log, m.waiters)
	s.batchHub = newHub(s.lookAtBatch, cfg.Waiting.PollInterval, tel.Log, m.waiters)
	s.expander = newExpander(doors, cfg.Expander, itemLimits{items: cfg.Batch.MaxItems, photo: cfg.Photo.MaxBytes}, s.admission.memory, tel.Log, tel.Registry)
	s.dispatch = newDispatcher(doors, s.publisher, cfg.Dispatch, cfg.Instance.ID, tel.Log, tel.Registry)
	s.quotas = newQuotas(cfg.Quota, doors.Store)
	s.callers = newCallers(cfg.KeyGoodFor)
	s.estimator = estimate.New(doors.Store, doors.Queue)
	s.verifier = &verifier{
		accounts: s.accounts, tries: login.NewTries(s.accounts, doors.Cache), log: tel.Log,
		places: make(chan struct{}, verificationsAtOnce),
		// Half of the memory stays free for those who are known; any one photo fits.
		waiting: newBudget(max(cfg.Admission.UploadBytesInFlight/2, cfg.Photo.MaxBytes), m.bytesUnverified),
	}
	origin, err := cfg.Images.LinkOrigin()
	if err != nil {
		return nil, err
	}
	sender, err := mail.New(cfg.Mail)
	if err != nil {
		return nil, err
	}
	s.recoverer = newRecoverer(s.accounts, sender, cfg.PublicURL, tel.Log)
	if s.deliverer, err = newDeliverer(doors.Store, cfg.Webhooks, cfg.PublicURL, tel.Log, tel.Registry); err != nil {
		return nil, err
	}
	web := cfg.HTTP
	web.PublicURL = cfg.PublicURL
	web.ImageOrigins = append(web.ImageOrigins, origin) // pages show photos from there
	s.app = httpserver.New(web, tel, s.health, s.renderError)
	if err := s.routes(s.app); err != nil {
		return nil, err
	}
	return s, nil
}

// Open opens every door and makes a front door on them. It waits up to
// cfg.OpenWait for stores that are not up yet. The returned function closes them,
// after Run.
func Open(ctx context.Context, cfg Config, tel *telemetry.Telemetry) (*Service, func(), error) {
	ctx, cancel := context.WithTimeout(ctx, cfg.OpenWait)
	defer cancel()
	machine, err := instance.Open(ctx, cfg.Instance, tel.Log)
	if err != nil {
		return nil, nil, err
	}
	cfg.Instance.ID = machine.ID
	doors := Doors{Cache: cache.Open(cfg.Cache)}
	err = errors.Join(
		lifecycle.Patiently(ctx, tel.Log, "mysql", func() (err error) { doors.Store, err = jobstore.Open(ctx, cfg.MySQL); return err }),
		lifecycle.Patiently(ctx, tel.Log, "s3", func() (err error) { doors.Images, err = imagestore.Open(ctx, cfg.Images); return err }),
		lifecycle.Patiently(ctx, tel.Log, "nats", func() (err error) { doors.Queue, err = jobqueue.Open(ctx, cfg.Queue, tel.Log); return err }),
	)
	var s *Service
	if err == nil {
		s, err = New(cfg, doors, tel)
	}
	if err != nil {
		doors.close(tel)
		return nil, nil, err
	}
	return s, func() { doors.close(tel) }, nil
}

func (d *Doors) close(tel *telemetry.Telemetry) {
	if d.Queue != nil {
		d.Queue.Close()
	}
	err := d.Cache.Close()
	if d.Store != nil {
		err = errors.Join(err, d.Store.Close())
	}
	if err != nil {
		tel.Log.Warn("doors not closed", "err", err)
	}
}

// Run listens and serves until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	ln, err := httpserver.Listen(ctx, s.cfg.HTTP, s.tel.Log)
	if err != nil {
		return err
	}
	return s.Serve(ctx, ln)
}

// Serve serves on ln until ctx ends. What runs in the background outlives the last
// request, because requests need it.
func (s *Service) Serve(ctx context.Context, ln net.Listener) error {
	s.admission.look(ctx) // before the first request
	return lifecycle.Beneath(ctx,
		func(ctx context.Context) error {
			return httpserver.Serve(ctx, s.app, ln, s.health, s.cfg.DrainLinger, func() {
				s.hub.close()
				s.batchHub.close()
			})
		},
		s.admission.Run,
		s.publisher.Run,
		s.expander.Run,
		s.dispatch.Run,
		s.eraser.Run,
		s.sweepOld,
		s.deliverer.Run,
		s.recoverer.Run,
		s.neighbour.Run,
		s.report,
		func(ctx context.Context) error { return s.hub.Run(ctx, s.cache.Notices(ctx)) },
		func(ctx context.Context) error { return s.batchHub.Run(ctx, nil) },
	)
}
