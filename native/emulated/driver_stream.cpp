// Driver API: streams, events, host functions.
#include <chrono>

#include "device.hpp"
#include "driver_call.hpp"
#include "graph.hpp"

using namespace emulated;

namespace {

// Streams that were destroyed: marks may still name them.
std::vector<std::unique_ptr<Stream>> &retired() {
  static std::vector<std::unique_ptr<Stream>> list;
  return list;
}

Event &event_at(const void *handle) {
  current_device();
  return events().at(handle);
}

// While somebody asks, the card works: a loop of queries ends.
constexpr std::chrono::milliseconds kAdvance(10);

bool advance(Stream &stream, uint64_t position) {
  auto end = std::chrono::steady_clock::now() + kAdvance;
  while (stream.done < position) {
    drain(stream, stream.done + 1);
    if (std::chrono::steady_clock::now() > end) break;
  }
  return stream.done >= position;
}

void require_outside_capture(const Event &event) {
  if (event.capture) fail(kCapturedEvent, "the event was recorded in a capture");
}

}  // namespace

EMULATED_API int cuStreamCreate(void **stream, unsigned flags) {
  return driver_call([&] {
    Device &device = current_device();
    bool blocking = !(flags & 1);
    *stream = streams().add(
        std::make_unique<Stream>(Stream{&device, blocking, false, {}, 0, 0, nullptr}));
  });
}

EMULATED_API int cuStreamCreateWithPriority(void **stream, unsigned flags, int) {
  return cuStreamCreate(stream, flags);
}

EMULATED_API int cuStreamDestroy_v2(void *stream) {
  return driver_call([&] {
    drain(streams().at(stream));
    retired().push_back(streams().remove(stream));
  });
}

EMULATED_API int cuStreamSynchronize(uint64_t stream) {
  return driver_call([&] {
    Stream &found = stream_at(stream);
    require_not_capturing("cuStreamSynchronize", found);
    if (found.legacy) drain_blocking(*found.device);
    drain(found);
  });
}

EMULATED_API int cuStreamQuery(uint64_t stream) {
  return driver_call([&] {
    Stream &found = stream_at(stream);
    require_not_capturing("cuStreamQuery", found);
    if (!advance(found, found.queued)) fail(kNotReady, "the stream has work left");
  });
}

EMULATED_API int cuStreamWaitEvent(uint64_t stream, void *event, unsigned) {
  return driver_call([&] { wait_for_event(stream_at(stream), event_at(event)); });
}

EMULATED_API int cuLaunchHostFunc(uint64_t stream, void (*function)(void *), void *argument) {
  return driver_call([&] {
    submit(stream_at(stream), {Task::kHost,
                               "host function",
                               [=] { function(argument); },
                               reinterpret_cast<void *>(function),
                               {}});
  });
}

EMULATED_API int cuEventCreate(void **event, unsigned flags) {
  return driver_call([&] {
    Device &device = current_device();
    *event = events().add(
        std::make_unique<Event>(Event{&device, !(flags & 2), false, {}, nullptr, nullptr}));
  });
}

EMULATED_API int cuEventDestroy_v2(void *event) {
  return driver_call([&] { events().remove(event); });
}

EMULATED_API int cuEventRecord(void *event, uint64_t stream) {
  return driver_call([&] {
    Event &found = event_at(event);
    Stream &at = stream_at(stream);
    if (found.device != at.device)
      fail(kInvalidHandle, "event and stream are of different devices");
    record_event(at, found);
  });
}

EMULATED_API int cuEventSynchronize(void *event) {
  return driver_call([&] {
    Event &found = event_at(event);
    require_outside_capture(found);
    if (found.recorded) drain(*found.mark.stream, found.mark.position);
  });
}

EMULATED_API int cuEventQuery(void *event) {
  return driver_call([&] {
    Event &found = event_at(event);
    require_outside_capture(found);
    require_no_capture("cuEventQuery");
    if (found.recorded && !advance(*found.mark.stream, found.mark.position)) {
      fail(kNotReady, "the event has not come yet");
    }
  });
}

EMULATED_API int cuEventElapsedTime(float *milliseconds, void *from, void *to) {
  return driver_call([&] {
    Event &first = event_at(from), &last = event_at(to);
    if (!first.timed || !last.timed) fail(kInvalidHandle, "an event was made with DISABLE_TIMING");
    if (!first.recorded || !last.recorded) fail(kInvalidHandle, "an event was never recorded");
    if (first.mark.stream->done < first.mark.position ||
        last.mark.stream->done < last.mark.position) {
      fail(kNotReady, "an event has not come yet");
    }
    *milliseconds = static_cast<float>(*last.milliseconds - *first.milliseconds);
  });
}
