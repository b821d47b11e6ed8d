// Command nats is the broker of one machine: nats-server in a process of its
// own, with JetStream on disk. It is the version that go.mod pins, since
// distributions ship older ones that lose work-queue messages.
//
// It must never import anything of the product.
package main
