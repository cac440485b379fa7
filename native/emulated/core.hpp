// What every part of the emulated device shares: how failures travel, the one lock, and settings.
//
// The library exports the C symbols of NVIDIA's driver, NVRTC, cuDNN, cuBLAS and NCCL. Each exported
// function runs its body under one lock and turns a thrown Failure into its own status code; the
// words are kept for the library's ...GetErrorString. Nothing here prints or exits.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#define EMULATED_API extern "C" __attribute__((visibility("default")))

namespace emulated {

// CUresult values that are raised here (cuda.h).
enum Code : int {
  kSuccess = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kNotInitialized = 3,
  kInvalidDevice = 101,
  kInvalidImage = 200,
  kInvalidContext = 201,
  kNoBinary = 209,
  kInvalidHandle = 400,
  kNotFound = 500,
  kNotReady = 600,
  kIllegalAddress = 700,
  kOutOfResources = 701,
  kAlreadyRegistered = 712,
  kNotRegistered = 713,
  kMisaligned = 716,
  kLaunchFailed = 719,
  kNotSupported = 801,
  kCaptureUnsupported = 900,
  kCaptureInvalidated = 901,
  kCaptureUnmatched = 903,
  kCaptureUnjoined = 904,
  kCaptureIsolation = 905,
  kCaptureImplicit = 906,
  kCapturedEvent = 907,
  kExecUpdateFailure = 910,
};

// A call or a piece of queued work that cannot succeed. `code` is a CUresult, or the status of the
// library whose function throws it.
struct Failure {
  int code;
  std::string text;
};

[[noreturn]] void fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
std::string format_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Guards everything; a collective gives it up while it waits for the other ranks.
std::mutex &lock();

// Gives the lock up for a moment, while this thread waits for another one or another process.
void let_others_run();

// Keeps the words of the newest failure of this thread; NULL when there was none with that code.
void report(const Failure &failure);
const char *last_report();
const char *last_report_of(int code);

// Runs an exported function's body: 0, or the code of the Failure, or `unexpected` for anything else.
int guarded(int unexpected, const std::function<void()> &body) noexcept;

// Settings, read from the environment at each use so that a test can change them.
int64_t setting(const char *name, int64_t otherwise);
bool reverse_order();  // SIAMBAN_EMULATED_ORDER=reverse: threads, warps and blocks run last to first
int worker_threads();    // SIAMBAN_EMULATED_THREADS, at most 2 by default
int64_t memory_limit();  // SIAMBAN_EMULATED_MEMORY, bytes

}  // namespace emulated
