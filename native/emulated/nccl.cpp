// NCCL: broadcast and all-reduce between threads and processes of one machine.
//
// Each rank copies a piece into its slot, all meet, each adds all slots in order of rank (so that all
// get the same bits), all meet again.
#include <cstring>
#include <map>
#include <random>

#include "device.hpp"
#include "device_memory.hpp"
#include "floats.hpp"
#include "handles.hpp"
#include "progress.hpp"
#include "shared_group.hpp"

using namespace emulated;

namespace {

enum Result { kUnhandledCuda = 1, kNcclInternal = 3, kNcclArgument = 4, kNcclUsage = 5 };
enum Operation { kSum = 0, kProduct = 1, kMaximum = 2, kMinimum = 3, kAverage = 4 };
enum Type {
  kInt8 = 0,
  kUint8 = 1,
  kInt32 = 2,
  kFloat16 = 6,
  kFloat32 = 7,
  kFloat64 = 8,
  kBf16 = 9
};
enum Call { kAllReduceCall = 1, kBroadcastCall = 2 };

struct UniqueId {
  char bytes[128];
};

struct Communicator {
  std::shared_ptr<SharedGroup> group;
  Device *device;
};
Registry<Communicator> communicators("communicator", kNcclArgument);
thread_local int group_depth = 0;

template <typename Body>
int nccl_call(Body &&body) noexcept {
  return guarded(kNcclInternal, body);
}

size_t bytes_of_type(int type) {
  switch (type) {
    case kInt8:
    case kUint8:
      return 1;
    case kFloat16:
    case kBf16:
      return 2;
    case kInt32:
    case kFloat32:
      return 4;
    case kFloat64:
      return 8;
  }
  fail(kNcclArgument, "data type %d is not emulated", type);
}

double load(const void *data, size_t i, int type) {
  switch (type) {
    case kInt8:
      return static_cast<const int8_t *>(data)[i];
    case kUint8:
      return static_cast<const uint8_t *>(data)[i];
    case kInt32:
      return static_cast<const int32_t *>(data)[i];
    case kFloat64:
      return static_cast<const double *>(data)[i];
    case kFloat32:
      return static_cast<const float *>(data)[i];
    case kFloat16:
      return load_float(data, i, kHalf);
    default:
      return load_float(data, i, kBfloat16);
  }
}

void store(void *data, size_t i, int type, double value) {
  switch (type) {
    case kInt8:
      static_cast<int8_t *>(data)[i] = int8_t(value);
      break;
    case kUint8:
      static_cast<uint8_t *>(data)[i] = uint8_t(value);
      break;
    case kInt32:
      static_cast<int32_t *>(data)[i] = int32_t(value);
      break;
    case kFloat64:
      static_cast<double *>(data)[i] = value;
      break;
    case kFloat32:
      static_cast<float *>(data)[i] = float(value);
      break;
    case kFloat16:
      store_float(data, i, kHalf, float(value));
      break;
    default:
      store_float(data, i, kBfloat16, float(value));
  }
}

double combine(double a, double b, int operation) {
  switch (operation) {
    case kProduct:
      return a * b;
    case kMaximum:
      return a > b || a != a ? a : b;
    case kMinimum:
      return a < b || a != a ? a : b;
    default:
      return a + b;
  }
}

void all_reduce(SharedGroup &group, uint64_t send, uint64_t receive, size_t count, int type,
                int operation) {
  size_t bytes = bytes_of_type(type), piece = kSlotBytes / bytes;
  require_range("ncclAllReduce: send", send, count * bytes);
  require_range("ncclAllReduce: receive", receive, count * bytes);
  group.agree({kAllReduceCall, type, operation, 0, count});
  for (size_t from = 0; from < count; from += piece) {
    size_t length = count - from < piece ? count - from : piece;
    memcpy(group.slot(group.rank()), reinterpret_cast<char *>(send) + from * bytes, length * bytes);
    group.meet();
    char *out = reinterpret_cast<char *>(receive) + from * bytes;
    for (size_t i = 0; i < length; i++) {
      double value = load(group.slot(0), i, type);
      for (int r = 1; r < group.ranks(); r++)
        value = combine(value, load(group.slot(r), i, type), operation);
      store(out, i, type, operation == kAverage ? value / group.ranks() : value);
    }
    group.meet();
  }
}

void broadcast(SharedGroup &group, uint64_t send, uint64_t receive, size_t bytes, int root) {
  bool mine = group.rank() == root;
  if (mine) require_range("ncclBroadcast: send", send, bytes);
  require_range("ncclBroadcast: receive", receive, bytes);
  group.agree({kBroadcastCall, 0, 0, root, bytes});
  for (size_t from = 0; from < bytes; from += kSlotBytes) {
    size_t length = bytes - from < kSlotBytes ? bytes - from : kSlotBytes;
    if (mine) memcpy(group.slot(root), reinterpret_cast<char *>(send) + from, length);
    group.meet();
    memcpy(reinterpret_cast<char *>(receive) + from, group.slot(root), length);
    group.meet();
  }
}

void queue(Communicator &communicator, uint64_t stream, const char *name,
           std::function<void(SharedGroup &)> run) {
  if (communicator.device->broken.code)
    fail(kUnhandledCuda, "%s", communicator.device->broken.text.c_str());
  Stream &at = stream_at(stream);
  auto group = communicator.group;
  submit(at, {Task::kLibrary,
              name,
              [=] {
                try {
                  run(*group);
                } catch (const Failure &failure) {
                  // The stream's own failure is a CUresult; which rank did what is in the words.
                  fail(failure.code == kIllegalAddress ? kIllegalAddress : kLaunchFailed, "%s",
                       failure.text.c_str());
                }
              },
              nullptr,
              {}});
  if (!at.capture) ensure_progress(at);
}

}  // namespace

EMULATED_API int ncclGetVersion(int *version) {
  *version = 23000;
  return 0;
}

EMULATED_API const char *ncclGetErrorString(int result) {
  static const std::map<int, const char *> names = {
      {0, "no error"},
      {1, "unhandled cuda error"},
      {2, "unhandled system error"},
      {3, "internal error"},
      {4, "invalid argument"},
      {5, "invalid usage"},
      {6, "remote process exited or there was a network error"}};
  static thread_local std::string words;
  auto found = names.find(result);
  words = found == names.end() ? "unknown result code" : found->second;
  if (const char *detail = result ? last_report_of(result) : nullptr)
    words += std::string(": ") + detail;
  return words.c_str();
}

EMULATED_API const char *ncclGetLastError(void *) { return last_report(); }

EMULATED_API int ncclGetUniqueId(UniqueId *id) {
  return nccl_call([&] {
    memset(id, 0, sizeof *id);
    std::random_device random;
    snprintf(id->bytes, sizeof id->bytes, "/siamban-nccl-%08x%08x%08x", random(), random(),
             random());
  });
}

EMULATED_API int ncclCommInitRank(void **communicator, int ranks, UniqueId id, int rank) {
  return nccl_call([&] {
    Device &device = current_device();
    if (strncmp(id.bytes, "/siamban-nccl-", 14) || id.bytes[127])
      fail(kNcclArgument, "the unique id is damaged");
    auto group = std::make_shared<SharedGroup>(id.bytes, ranks, rank);
    *communicator = communicators.add(std::make_unique<Communicator>(Communicator{group, &device}));
  });
}

EMULATED_API int ncclCommCount(void *communicator, int *ranks) {
  return nccl_call([&] { *ranks = communicators.at(communicator).group->ranks(); });
}

EMULATED_API int ncclCommUserRank(void *communicator, int *rank) {
  return nccl_call([&] { *rank = communicators.at(communicator).group->rank(); });
}

EMULATED_API int ncclCommFinalize(void *communicator) {
  return nccl_call([&] { drain(*communicators.at(communicator).device); });
}

EMULATED_API int ncclCommDestroy(void *communicator) {
  return nccl_call([&] {
    Device &device = *communicators.at(communicator).device;
    if (!device.broken.code) drain(device);
    communicators.remove(communicator);
  });
}

EMULATED_API int ncclCommAbort(void *communicator) {
  return nccl_call([&] {
    communicators.at(communicator).group->abort();
    communicators.remove(communicator);
  });
}

EMULATED_API int ncclCommGetAsyncError(void *communicator, int *result) {
  return nccl_call([&] {
    const Failure &broken = communicators.at(communicator).device->broken;
    *result = broken.code ? kUnhandledCuda : 0;
  });
}

EMULATED_API int ncclGroupStart() {
  group_depth++;
  return 0;
}

// Work is queued anyway, so a group has nothing to hold back.
EMULATED_API int ncclGroupEnd() {
  return nccl_call([&] {
    if (group_depth == 0) fail(kNcclUsage, "no group was started");
    group_depth--;
  });
}

EMULATED_API int ncclAllReduce(uint64_t send, uint64_t receive, size_t count, int type,
                               int operation, void *communicator, uint64_t stream) {
  return nccl_call([&] {
    bytes_of_type(type);
    if (operation < kSum || operation > kAverage)
      fail(kNcclArgument, "operation %d does not exist", operation);
    queue(communicators.at(communicator), stream, "ncclAllReduce",
          [=](SharedGroup &group) { all_reduce(group, send, receive, count, type, operation); });
  });
}

EMULATED_API int ncclBroadcast(uint64_t send, uint64_t receive, size_t count, int type, int root,
                               void *communicator, uint64_t stream) {
  return nccl_call([&] {
    size_t bytes = count * bytes_of_type(type);
    queue(communicators.at(communicator), stream, "ncclBroadcast",
          [=](SharedGroup &group) { broadcast(group, send, receive, bytes, root); });
  });
}
