// Command outside serves a folder of photos on one loopback address, as a web site
// elsewhere would, and catches webhooks there and mail on another. It must never be
// part of a deployment.
package main
