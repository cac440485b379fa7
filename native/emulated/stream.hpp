// Streams run nothing until somebody must wait for them. So whoever reads memory before it
// synchronised sees what was there before, and work of another stream that no event orders has not
// happened yet: the most unkind order that a card may choose. With threads in reverse order copies
// to the device run at once instead, where no event holds them back: what they overwrite may still
// be needed.
//
// Work on the legacy stream waits for all work queued before on blocking streams, and their later
// work waits for it, as CUDA says.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core.hpp"

namespace emulated {

struct Capture;
struct Device;
struct Stream;

// A position in a stream: everything queued before it.
struct Mark {
  Stream *stream;
  uint64_t position;
};

// One piece of queued work, and what a graph keeps of it.
struct Task {
  enum Kind { kKernel, kCopy, kFill, kHost, kLibrary, kOrder } kind;
  std::string name;
  std::function<void()> run;
  const void *function;  // of a kernel: what an update must not change
  std::vector<Mark> after;
};

struct Stream {
  Device *device;
  bool blocking;
  bool legacy;
  std::deque<Task> queue;
  uint64_t queued, done;
  Capture *capture;
  bool running = false;  // a thread is at the queue's first task, perhaps waiting for other ranks
};

struct Event {
  Device *device;
  bool timed;
  bool recorded;
  Mark mark;
  Capture *capture;                      // non-NULL while the event belongs to a capture
  std::shared_ptr<double> milliseconds;  // outlives the event where its work is queued
};

// Resolves a stream handle: 0 and 1 are the legacy stream, 2 the thread's. Throws Failure.
Stream &stream_at(uint64_t handle);

// Queues work, or records it in the stream's capture.
void submit(Stream &stream, Task task);
// Runs the stream up to a position (all of it by default). Throws the Failure of what ran; the
// device keeps it, and every later call fails with it.
void drain(Stream &stream, uint64_t position = ~uint64_t{0});
// Runs copies at the head of the stream that nothing in front of them, or in another stream, must
// precede.
void run_ready_copies(Stream &stream);
// Runs all streams of a device.
void drain(Device &device);
// Runs what a synchronous copy on the legacy stream waits for.
void drain_blocking(Device &device);

}  // namespace emulated
