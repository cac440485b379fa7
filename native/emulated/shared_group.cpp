#include "shared_group.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstring>

#include "core.hpp"

namespace emulated {

namespace {
constexpr size_t kHeaderBytes = 4096;
// ncclResult_t.
constexpr int kSystemError = 2, kInvalidArgument = 4, kInvalidUsage = 5, kRemoteError = 6;

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
}  // namespace

SharedGroup::SharedGroup(const std::string &name, int ranks, int rank)
    : ranks_(ranks), rank_(rank), bytes_(kHeaderBytes + ranks * kSlotBytes), name_(name) {
  static_assert(sizeof(Header) <= kHeaderBytes, "the header must fit its page");
  if (ranks < 1 || ranks > kMostRanks || rank < 0 || rank >= ranks) {
    fail(kInvalidArgument, "rank %d of %d: the emulated device takes up to %d", rank, ranks,
         kMostRanks);
  }
  int file = shm_open(name_.c_str(), O_RDWR | O_CREAT, 0600);
  if (file < 0 || ftruncate(file, bytes_)) fail(kSystemError, "no shared memory %s", name_.c_str());
  void *memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (memory == MAP_FAILED) fail(kSystemError, "shared memory %s cannot be mapped", name_.c_str());
  header_ = static_cast<Header *>(memory);
  header_->process[rank_] = getpid();
  header_->joined++;
  wait_until("to join", [this] { return header_->joined >= ranks_; });
  // All have it open, and a rank that ends without leaving must not leave the file behind.
  if (rank_ == 0) shm_unlink(name_.c_str());
}

SharedGroup::~SharedGroup() { munmap(header_, bytes_); }

unsigned char *SharedGroup::slot(int rank) const {
  return reinterpret_cast<unsigned char *>(header_) + kHeaderBytes + rank * kSlotBytes;
}

void SharedGroup::agree(const Intent &intent) {
  header_->intent[rank_] = intent;
  meet();
  for (int r = 0; r < ranks_; r++) {
    if (memcmp(&header_->intent[r], &intent, sizeof intent)) {
      fail(kInvalidUsage, "rank %d and rank %d call different collectives, or with other sizes",
           rank_, r);
    }
  }
  meet();
}

void SharedGroup::meet() {
  unsigned generation = header_->generation;
  if (++header_->arrived == ranks_) {
    header_->arrived = 0;
    header_->generation++;
    return;
  }
  wait_until("in a collective", [&] { return header_->generation != generation; });
}

void SharedGroup::abort() { header_->aborted = 1; }

void SharedGroup::wait_until(const char *what, const std::function<bool()> &done) {
  double deadline = seconds() + setting("SIAMBAN_EMULATED_TIMEOUT", 120);
  while (!done()) {
    if (header_->aborted) fail(kRemoteError, "a rank gave the communicator up");
    for (int r = 0; r < ranks_; r++) {
      int process = header_->process[r];
      if (process && kill(process, 0))
        fail(kRemoteError, "rank %d is gone, waiting for it %s", r, what);
    }
    if (seconds() > deadline) fail(kRemoteError, "a rank never came, waiting for it %s", what);
    let_others_run();
  }
}

}  // namespace emulated
