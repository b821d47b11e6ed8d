#include "opencv.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/core/utility.hpp>
#include <opencv2/dnn.hpp>

void maskfleet_set_threads(int threads) { cv::setNumThreads(threads); }

struct maskfleet_network {
    cv::dnn::Net net;
    std::vector<cv::String> names;
    std::vector<cv::Mat> outputs; // of the last run
    cv::Mat input;                // 1 x 3 x height x width
};

namespace {

void tell(const std::string &text, unsigned char *message, int size) {
    const size_t length = std::min(text.size(), static_cast<size_t>(size - 1));
    std::memcpy(message, text.data(), length);
    message[length] = 0;
}

// guarded runs work and turns whatever it throws into a message: an exception that
// reaches Go ends the process.
template <typename Work> bool guarded(unsigned char *message, int size, Work work) {
    try {
        work();
        return true;
    } catch (const cv::Exception &e) {
        tell(e.err, message, size);
    } catch (const std::exception &e) {
        tell(e.what(), message, size);
    } catch (...) {
        tell("unknown exception", message, size);
    }
    return false;
}

} // namespace

maskfleet_network *maskfleet_network_open(const unsigned char *onnx, int length, unsigned char *message, int size) {
    auto network = new maskfleet_network;
    const bool opened = guarded(message, size, [&] {
        network->net = cv::dnn::readNetFromONNX(reinterpret_cast<const char *>(onnx), static_cast<size_t>(length));
        CV_Assert(!network->net.empty());
    });
    if (opened)
        return network;
    delete network;
    return nullptr;
}

void maskfleet_network_close(maskfleet_network *network) { delete network; }

int maskfleet_network_add_output(maskfleet_network *network, const unsigned char *name, int length,
                                 unsigned char *message, int size) {
    return guarded(message, size, [&] {
        const cv::String text(reinterpret_cast<const char *>(name), static_cast<size_t>(length));
        if (network->net.getLayerId(text) < 0)
            CV_Error(cv::Error::StsObjectNotFound, "the network has no output \"" + text + "\"");
        network->names.push_back(text);
    });
}

int maskfleet_network_run(maskfleet_network *network, const unsigned char *pixels, int width, int height,
                          const int *order, const float *scale, const float *mean,
                          unsigned char *message, int size) {
    const bool ran = guarded(message, size, [&] {
        const cv::Mat picture(height, width, CV_8UC3, const_cast<unsigned char *>(pixels));
        cv::Mat planes[3];
        cv::split(picture, planes);
        const int shape[] = {1, 3, height, width};
        network->input.create(4, shape, CV_32F);
        for (int c = 0; c < 3; c++) {
            cv::Mat plane(height, width, CV_32F, network->input.ptr<float>(0, c));
            planes[order[c]].convertTo(plane, CV_32F, scale[c], -mean[c] * scale[c]);
        }
        network->net.setInput(network->input);
        network->net.forward(network->outputs, network->names);
    });
    return ran;
}

int maskfleet_network_shape(const maskfleet_network *network, int output, int *sides) {
    const cv::Mat &m = network->outputs[static_cast<size_t>(output)];
    for (int i = 0; i < std::min(m.dims, 4); i++)
        sides[i] = m.size[i];
    return m.dims;
}

int maskfleet_network_values(const maskfleet_network *network, int output, float *values, int count) {
    const cv::Mat &m = network->outputs[static_cast<size_t>(output)];
    if (m.type() != CV_32F || !m.isContinuous() || m.total() != static_cast<size_t>(count))
        return 0;
    std::memcpy(values, m.ptr<float>(), sizeof(float) * static_cast<size_t>(count));
    return 1;
}
