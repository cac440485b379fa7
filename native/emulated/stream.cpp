#include "stream.hpp"

#include "device.hpp"
#include "device_memory.hpp"
#include "graph.hpp"

namespace emulated {

namespace {

// More than this many pieces of work are never held back.
constexpr size_t kMostQueued = 1 << 16;

template <typename Visit>
void each_stream(Device &device, Visit visit) {
  visit(device.legacy_stream);
  visit(device.thread_stream);
  streams().each([&](Stream &stream) {
    if (stream.device == &device) visit(stream);
  });
}

// What the legacy stream's rules make a new piece of work wait for.
std::vector<Mark> implied_order(Stream &stream) {
  std::vector<Mark> after;
  if (stream.legacy) {
    each_stream(*stream.device, [&](Stream &other) {
      if (other.blocking && !other.legacy && other.done < other.queued && !other.capture) {
        after.push_back({&other, other.queued});
      }
    });
  } else if (stream.blocking) {
    Stream &legacy = stream.device->legacy_stream;
    if (legacy.done < legacy.queued) after.push_back({&legacy, legacy.queued});
  }
  return after;
}

void run(Stream &stream, Task &task) {
  for (Mark &mark : task.after) drain(*mark.stream, mark.position);
  try {
    DeviceView view;
    task.run();
  } catch (const Failure &failure) {
    stream.device->broken = failure;
    throw;
  }
}

bool is_ready_copy(const Task &task) {
  for (const Mark &mark : task.after) {
    if (mark.stream->done < mark.position) return false;
  }
  return task.kind == Task::kCopy || task.kind == Task::kOrder;
}

// Marks the stream as running, and its first task as done at the end, however that comes.
class Turn {
 public:
  explicit Turn(Stream &stream) : stream_(stream) { stream_.running = true; }
  ~Turn() {
    stream_.running = false;
    stream_.done++;
  }

 private:
  Stream &stream_;
};

}  // namespace

Stream &stream_at(uint64_t handle) {
  Device &device = current_device();
  if (handle <= 1) return device.legacy_stream;
  if (handle == 2) return device.thread_stream;
  return streams().at(reinterpret_cast<void *>(handle));
}

void submit(Stream &stream, Task task) {
  if (stream.capture) return record(stream, std::move(task));
  require_no_implicit_capture(stream);
  for (const Mark &mark : implied_order(stream)) task.after.push_back(mark);
  stream.queue.push_back(std::move(task));
  stream.queued++;
  if (stream.queue.size() > kMostQueued && !stream.running) drain(stream);
}

void drain(Stream &stream, uint64_t position) {
  while (stream.done < stream.queued && stream.done < position) {
    if (stream.running) {
      let_others_run();
      continue;
    }
    Task task = std::move(stream.queue.front());
    stream.queue.pop_front();
    Turn turn(stream);
    run(stream, task);
  }
}

void run_ready_copies(Stream &stream) {
  while (!stream.running && !stream.queue.empty() && is_ready_copy(stream.queue.front())) {
    drain(stream, stream.done + 1);
  }
}

void drain(Device &device) {
  each_stream(device, [](Stream &stream) { drain(stream); });
}

void drain_blocking(Device &device) {
  each_stream(device, [](Stream &stream) {
    if (stream.blocking) drain(stream);
  });
}

}  // namespace emulated
