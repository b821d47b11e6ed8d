package client_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"maskfleet/pkg/client"
	"maskfleet/pkg/client/clienttest"
)

// One photo, and its result in the same answer if it is done in time.
func Example() {
	door := clienttest.NewDoor(nil) // yours is at https://…
	defer door.Close()

	c, err := client.New(client.Config{URL: door.URL, Key: clienttest.Key})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	found, err := c.DetectFile(ctx, "gate-7.jpg", client.FromBytes([]byte("a photo")), 10*time.Second)
	if err == nil && !found.Status.Ended() {
		found, err = c.WaitDetection(ctx, found.ID)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s: %d of %d wear a mask\n", found.Status, found.NumMasked, found.NumFaces)
	// Output: succeeded: 2 of 3 wear a mask
}

// Photos that lie elsewhere, as a batch; results are matched by their custom ids.
func ExampleClient_CreateBatch() {
	door := clienttest.NewDoor(func(d *clienttest.Door) { d.Finishes = true })
	defer door.Close()
	c, err := client.New(client.Config{URL: door.URL, Key: clienttest.Key})
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx := context.Background()
	batch, err := c.CreateBatch(ctx, []client.Item{
		{CustomID: "gate-7-0001", Image: client.Image{URL: "https://example.com/1.jpg"}},
		{CustomID: "gate-7-0002", Image: client.Image{URL: "https://example.com/2.jpg"}},
	}, client.WithIdempotencyKey("gate-7, 23 November")) // repeating it makes no second batch
	if err != nil {
		fmt.Println(err)
		return
	}
	batch, err = c.WaitBatch(ctx, batch.ID, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(batch.Status, batch.Counts.Succeeded, "of", batch.Counts.Total)
	for result, err := range c.Results(ctx, batch.ID) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(result.CustomID, result.Category)
	}
	// Output:
	// completed 2 of 2
	// gate-7-0001 some_masked
	// gate-7-0002 some_masked
}

// Photos that lie here go to S3 by signed links and are then named by their upload
// ids.
func ExampleClient_CreateUploads() {
	door := clienttest.NewDoor(func(d *clienttest.Door) { d.Finishes = true })
	defer door.Close()
	c, err := client.New(client.Config{URL: door.URL, Key: clienttest.Key})
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx := context.Background()
	uploads, err := c.CreateUploads(ctx, []client.UploadFile{{Filename: "a.jpg", ContentType: "image/jpeg", Bytes: 7}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := c.Put(ctx, uploads[0], client.FromBytes([]byte("a photo"))); err != nil {
		fmt.Println(err)
		return
	}
	batch, err := c.CreateBatch(ctx, []client.Item{{CustomID: "a", Image: client.Image{UploadID: uploads[0].ID}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(batch.Succeeded())
	// Output: true
}

// How a batch comes along.
func ExampleClient_Events() {
	door := clienttest.NewDoor(nil)
	defer door.Close()
	c, err := client.New(client.Config{URL: door.URL, Key: clienttest.Key})
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx := context.Background()
	batch, err := c.CreateBatchFromS3(ctx, "s3://photos/gate-7/")
	if err != nil {
		fmt.Println(err)
		return
	}
	for now, err := range c.Events(ctx, batch.ID) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%d of %d\n", now.Counts.Ended(), now.Counts.Total)
		door.Finish(batch.ID, 1) // a worker does this
	}
	// Output:
	// 0 of 3
	// 1 of 3
	// 2 of 3
	// 3 of 3
}

// To be told in place of asking: an address of yours, tried out at once.
func ExampleClient_CreateWebhook() {
	door := clienttest.NewDoor(nil)
	defer door.Close()
	c, err := client.New(client.Config{URL: door.URL, Key: clienttest.Key})
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx := context.Background()
	hook, err := c.CreateWebhook(ctx, client.WebhookSettings{
		URL: "https://receiver.example/maskfleet", Events: []client.EventType{client.EventBatchCompleted, client.EventAlertUnmasked}, UnmaskedAbove: 2,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	keep(hook.Secret) // it is shown only now
	sent, err := c.TestWebhook(ctx, hook.ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sent.Type, sent.Status)
	// Output: webhook.test delivered
}

func keep(string) {}

// What was in vain is sent again, once the receiver is mended.
func ExampleClient_Redeliver() {
	door := clienttest.NewDoor(nil)
	defer door.Close()
	c, err := client.New(client.Config{URL: door.URL, Key: clienttest.Key})
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx := context.Background()
	for hook, err := range c.Webhooks(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		for failed, err := range c.Deliveries(ctx, hook.ID, client.DeliveryFailed) {
			if err == nil {
				_, err = c.Redeliver(ctx, hook.ID, failed.ID)
			}
			if err != nil {
				fmt.Println(err)
				return
			}
		}
	}
	fmt.Println("done")
	// Output: done
}

// A refusal has a stable code.
func ExampleAPIError() {
	door := clienttest.NewDoor(nil)
	defer door.Close()
	c, err := client.New(client.Config{URL: door.URL, Key: clienttest.Key})
	if err != nil {
		fmt.Println(err)
		return
	}

	_, err = c.Batch(context.Background(), "nothing")
	var refused *client.APIError
	if errors.As(err, &refused) {
		fmt.Println(refused.Status, refused.Code)
	}
	// Output: 404 not_found
}
