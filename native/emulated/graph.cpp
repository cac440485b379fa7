#include "graph.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include "device.hpp"

namespace emulated {

namespace {

std::vector<std::unique_ptr<Capture>> captures;

uint64_t this_thread() { return std::hash<std::thread::id>()(std::this_thread::get_id()); }

void finish(Capture *capture) {
  capture->origin->capture = nullptr;
  for (Stream *stream : capture->joined) stream->capture = nullptr;
  events().each([&](Event &event) {
    if (event.capture != capture) return;
    event.capture = nullptr;
    event.recorded = false;
  });
  captures.erase(std::remove_if(captures.begin(), captures.end(),
                                [&](auto &other) { return other.get() == capture; }),
                 captures.end());
}

[[noreturn]] void spoil(Capture &capture, int code, const std::string &text) {
  capture.invalid = true;
  throw Failure{code, text};
}

double now_milliseconds() {
  using namespace std::chrono;
  return duration<double, std::milli>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace

void begin_capture(Stream &stream, int mode) {
  if (stream.legacy) fail(kCaptureImplicit, "the legacy stream cannot be captured");
  if (stream.capture) fail(kInvalidValue, "the stream is capturing already");
  if (mode < kGlobal || mode > kRelaxed)
    fail(kInvalidValue, "capture mode %d does not exist", mode);
  captures.push_back(std::make_unique<Capture>());
  Capture *capture = captures.back().get();
  capture->origin = &stream;
  capture->mode = static_cast<CaptureMode>(mode);
  capture->thread = this_thread();
  stream.capture = capture;
}

std::unique_ptr<Graph> end_capture(Stream &stream) {
  Capture *capture = stream.capture;
  if (!capture) fail(kInvalidValue, "the stream is not capturing");
  if (capture->origin != &stream) fail(kCaptureUnmatched, "the capture began on another stream");
  bool invalid = capture->invalid;
  size_t apart = capture->joined.size() - capture->returned.size();
  auto graph = std::make_unique<Graph>();
  graph->tasks = std::move(capture->tasks);
  finish(capture);
  if (invalid) fail(kCaptureInvalidated, "a call that is forbidden during capture spoiled it");
  if (apart) fail(kCaptureUnjoined, "%zu streams joined the capture and never came back", apart);
  return graph;
}

void record(Stream &stream, Task task) {
  Capture &capture = *stream.capture;
  if (capture.invalid) fail(kCaptureInvalidated, "the capture is spoiled already");
  if (&stream != capture.origin) capture.returned.erase(&stream);
  capture.tasks.push_back(std::move(task));
}

void record_event(Stream &stream, Event &event) {
  event.capture = stream.capture;
  event.recorded = true;
  event.mark = {&stream, 0};
  if (stream.capture) return;
  auto milliseconds = event.milliseconds = std::make_shared<double>(0);
  submit(stream, {Task::kOrder, "event", [=] { *milliseconds = now_milliseconds(); }, nullptr, {}});
  event.mark.position = stream.queued;
}

void wait_for_event(Stream &stream, Event &event) {
  if (!event.recorded) return;
  if (event.capture) {
    Capture *capture = event.capture;
    if (stream.capture && stream.capture != capture) {
      spoil(*stream.capture, kCaptureIsolation, "an event of another capture is waited for");
    }
    if (stream.legacy) spoil(*capture, kCaptureImplicit, "the legacy stream cannot join a capture");
    if (&stream == capture->origin) {
      if (event.mark.stream != &stream) capture->returned.insert(event.mark.stream);
    } else if (capture->joined.insert(&stream).second) {
      stream.capture = capture;
    } else if (event.mark.stream != &stream && event.mark.stream != capture->origin) {
      capture->returned.insert(event.mark.stream);
    }
    return;
  }
  if (stream.capture) {
    spoil(*stream.capture, kCaptureIsolation,
          "an event that was recorded outside the capture is waited for inside");
  }
  submit(stream, {Task::kOrder, "wait", [] {}, nullptr, {event.mark}});
}

void require_no_capture(const char *call) {
  for (auto &capture : captures) {
    bool applies = capture->mode == kGlobal ||
                   (capture->mode == kThreadLocal && capture->thread == this_thread());
    if (applies) {
      spoil(*capture, kCaptureUnsupported, format_text("%s is not permitted during capture", call));
    }
  }
}

void require_not_capturing(const char *call, Stream &stream) {
  if (stream.capture) {
    spoil(*stream.capture, kCaptureUnsupported,
          format_text("%s is not permitted on a stream that is capturing", call));
  }
}

void require_no_implicit_capture(Stream &stream) {
  if (!stream.legacy) return;
  for (auto &capture : captures) {
    if (capture->origin->blocking && capture->origin->device == stream.device) {
      spoil(*capture, kCaptureImplicit,
            "work on the legacy stream would depend on a blocking stream that is capturing");
    }
  }
}

int update_result(const GraphExec &exec, const Graph &graph) {
  if (exec.tasks->size() != graph.tasks.size()) return 2;  // topology
  for (size_t i = 0; i < graph.tasks.size(); i++) {
    const Task &before = (*exec.tasks)[i], &after = graph.tasks[i];
    if (before.kind != after.kind) return 3;          // node type
    if (before.function != after.function) return 4;  // function
    if (before.name != after.name) return 5;          // parameters
  }
  return 0;
}

}  // namespace emulated
