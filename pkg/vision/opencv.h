// What gocv 0.31 lacks: a bound on OpenCV's threads, and a network whose faults come
// back as messages instead of ending the process, and whose answers are copied once.
#pragma once
#ifdef __cplusplus
extern "C" {
#endif

void maskfleet_set_threads(int threads);

typedef struct maskfleet_network maskfleet_network;

// Where a function can fail it gives 0 or NULL and writes a message of at most size
// bytes, zero included.
maskfleet_network *maskfleet_network_open(const unsigned char *onnx, int length, unsigned char *message, int size);
void maskfleet_network_close(maskfleet_network *network);

// Names an output; all must be named before the first run. name is not terminated.
int maskfleet_network_add_output(maskfleet_network *network, const unsigned char *name, int length,
                                 unsigned char *message, int size);

// Runs the network on a picture of three interleaved bytes a pixel, without gaps.
// Channel c of the input is (channel order[c] of the picture - mean[c]) * scale[c].
int maskfleet_network_run(maskfleet_network *network, const unsigned char *pixels, int width, int height,
                          const int *order, const float *scale, const float *mean,
                          unsigned char *message, int size);

// The shape of an output of the last run: up to four sides, and how many there are.
int maskfleet_network_shape(const maskfleet_network *network, int output, int *sides);
// Copies an output of the last run, which must have count values.
int maskfleet_network_values(const maskfleet_network *network, int output, float *values, int count);

#ifdef __cplusplus
}
#endif
