// Package browser drives a headless Chromium in tests of pages.
//
// Every tab has a profile of its own and reaches loopback only. It must be imported
// by tests only. A machine without Chromium fails the test.
package browser
