#pragma once
#ifdef __cplusplus
extern "C" {
#endif
void maskfleet_set_threads(int threads);
#ifdef __cplusplus
}
#endif
