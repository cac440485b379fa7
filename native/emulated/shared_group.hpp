// The ranks of a communicator meet in a file in shared memory, named by the unique id: they may be
// threads of one process or processes of one machine.
//
//   | header: who joined, the barrier | rank 0's slot | rank 1's slot | ...
#pragma once

#include <atomic>
#include <functional>
#include <cstdint>
#include <string>

namespace emulated {

constexpr size_t kSlotBytes = 1 << 20;
constexpr int kMostRanks = 16;

// What a rank says it is about to do, so that ranks that do different things are found out.
struct Intent {
  int kind, type, operation, root;
  uint64_t count;
};

class SharedGroup {
 public:
  // Joins; returns when all ranks have. Throws Failure with an ncclResult_t.
  SharedGroup(const std::string &name, int ranks, int rank);
  ~SharedGroup();
  SharedGroup(const SharedGroup &) = delete;

  int ranks() const { return ranks_; }
  int rank() const { return rank_; }
  unsigned char *slot(int rank) const;
  // Throws Failure when a rank has another intent.
  void agree(const Intent &intent);
  // Waits for all ranks; gives the device's lock up meanwhile. Throws Failure when one is gone.
  void meet();
  void abort();

 private:
  struct Header {
    std::atomic<int> joined, arrived, aborted;
    std::atomic<unsigned> generation;
    std::atomic<int> process[kMostRanks];
    Intent intent[kMostRanks];
  };

  void wait_until(const char *what, const std::function<bool()> &done);

  int ranks_, rank_;
  size_t bytes_;
  std::string name_;
  Header *header_;
};

}  // namespace emulated
