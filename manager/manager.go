package manager

import (
	"cmp"
	"context"
	"errors"
	"net"
	"sync"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/account"
	"maskfleet/pkg/cache"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/lifecycle"
	"maskfleet/pkg/telemetry"
	"maskfleet/pkg/webui"
	"maskfleet/pkg/webui/login"
)

// Doors are the stores and the broker that a manager reads and steers. Whoever opened them
// closes them, after Run.
type Doors struct {
	Store   *jobstore.Store
	Queue   *jobqueue.Queue
	Cache   *cache.Cache
	Images  *imagestore.Store
	Answers *command.Server // over which commands are answered
}

// Service is one manager.
type Service struct {
	cfg      Config
	tel      *telemetry.Telemetry
	store    *jobstore.Store
	queue    *jobqueue.Queue
	cache    *cache.Cache
	images   *imagestore.Store
	answers  *command.Server
	accounts *account.Accounts
	kit      *webui.Kit
	board    *board
	hub      *hub
	health   *httpserver.Health
	people   *login.Pages
	app      *fiber.App

	leaving chan struct{} // closed when a person stops the manager from its page
	leave   func()
}

// New makes a manager on doors that are open already.
func New(cfg Config, doors Doors, tel *telemetry.Telemetry) (*Service, error) {
	kit, err := webui.New()
	if err != nil {
		return nil, err
	}
	s := &Service{
		cfg: cfg, tel: tel, store: doors.Store, queue: doors.Queue, cache: doors.Cache, images: doors.Images,
		answers: doors.Answers, kit: kit,
		accounts: account.New(doors.Store, doors.Cache, cfg.Accounts),
		health:   &httpserver.Health{},
	}
	s.leaving = make(chan struct{})
	s.leave = sync.OnceFunc(func() { close(s.leaving) })
	s.board = newBoard(s)
	s.hub = newHub(cfg.Reading.LiveInterval, s.renderLive, tel.Log)
	web := cfg.HTTP
	web.PublicURL = cfg.PublicURL
	origin, err := cfg.Images.LinkOrigin()
	if err != nil {
		return nil, err
	}
	web.ImageOrigins = append(web.ImageOrigins, origin) // pages show photos from there
	s.app = httpserver.New(web, tel, s.health, s.renderError)
	s.routes(s.app)
	return s, nil
}

// Open opens every door and makes a manager on them. It waits up to cfg.OpenWait for
// MySQL and the broker to be there once; later they may come and go. The returned
// function closes them, after Run.
func Open(ctx context.Context, cfg Config, tel *telemetry.Telemetry) (*Service, func(), error) {
	ctx, cancel := context.WithTimeout(ctx, cfg.OpenWait)
	defer cancel()
	doors := Doors{Cache: cache.Open(cfg.Cache)}
	err := errors.Join(
		lifecycle.Patiently(ctx, tel.Log, "mysql", func() (err error) { doors.Store, err = jobstore.Open(ctx, cfg.MySQL); return err }),
		lifecycle.Patiently(ctx, tel.Log, "s3", func() (err error) { doors.Images, err = imagestore.Open(ctx, cfg.Images); return err }),
		lifecycle.Patiently(ctx, tel.Log, "nats", func() (err error) { doors.Queue, err = jobqueue.Open(ctx, cfg.Queue, tel.Log); return err }),
	)
	if err == nil {
		doors.Answers, err = command.Open(cfg.Queue, doors.Store, doors.Queue, tel.Log)
	}
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
	if d.Answers != nil {
		d.Answers.Close()
	}
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

// Run listens and serves until ctx ends, or a person stops the manager from its page:
// then the program is done.
func (s *Service) Run(ctx context.Context) error {
	ln, err := httpserver.Listen(ctx, s.cfg.HTTP, s.tel.Log)
	if err != nil {
		return err
	}
	err = s.Serve(ctx, ln)
	select {
	case <-s.leaving:
		return cmp.Or(err, lifecycle.ErrDone)
	default:
		return err
	}
}

// Serve serves on ln until ctx ends, or a person stops the manager from its page.
func (s *Service) Serve(ctx context.Context, ln net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-ctx.Done():
		case <-s.leaving:
			stop()
		}
	}()
	return lifecycle.Beneath(ctx,
		func(ctx context.Context) error {
			return httpserver.Serve(ctx, s.app, ln, s.health, s.cfg.DrainLinger, s.hub.close)
		},
		s.board.Run,
		s.hub.Run,
		s.answerCommands,
		s.runErasures,
		s.keepTrials,
	)
}
