// Stream capture and graphs: a capture records the queued work of a stream (and of the streams that
// join it through events) in order; a launch replays the record.
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "stream.hpp"

namespace emulated {

struct Graph {
  std::vector<Task> tasks;
};

struct GraphExec {
  std::shared_ptr<const std::vector<Task>> tasks;
};

enum CaptureMode : int { kGlobal = 0, kThreadLocal = 1, kRelaxed = 2 };

struct Capture {
  Stream *origin;
  CaptureMode mode;
  uint64_t thread;
  bool invalid = false;
  std::set<Stream *> joined;    // other streams that were drawn in
  std::set<Stream *> returned;  // of those: whose newest work the origin waited for
  std::vector<Task> tasks;
};

void begin_capture(Stream &stream, int mode);
// Throws Failure{kCaptureInvalidated, kCaptureUnjoined, kCaptureUnmatched}; the capture is over.
std::unique_ptr<Graph> end_capture(Stream &stream);
void record(Stream &stream, Task task);
void record_event(Stream &stream, Event &event);
void wait_for_event(Stream &stream, Event &event);

// Throws Failure{kCaptureUnsupported} and spoils the capture if the call must not happen while this
// thread (or, in global mode, any thread) captures.
void require_no_capture(const char *call);
// The same for a call that waits for `stream`, which is refused in every mode.
void require_not_capturing(const char *call, Stream &stream);
// Work on the legacy stream would wait for a blocking stream that is capturing.
void require_no_implicit_capture(Stream &stream);

// cuGraphExecUpdate's result: 0, or why the new graph does not fit the old one.
int update_result(const GraphExec &exec, const Graph &graph);

}  // namespace emulated
