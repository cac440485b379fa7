#include "core.hpp"

#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <thread>

namespace emulated {

namespace {
thread_local Failure newest{0, ""};

std::string format_list(const char *format, va_list list) {
  char text[1024];
  vsnprintf(text, sizeof text, format, list);
  return text;
}
}  // namespace

void fail(int code, const char *format, ...) {
  va_list list;
  va_start(list, format);
  std::string text = format_list(format, list);
  va_end(list);
  throw Failure{code, text};
}

std::string format_text(const char *format, ...) {
  va_list list;
  va_start(list, format);
  std::string text = format_list(format, list);
  va_end(list);
  return text;
}

std::mutex &lock() {
  static std::mutex mutex;
  return mutex;
}

void let_others_run() {
  lock().unlock();
  std::this_thread::sleep_for(std::chrono::microseconds(50));
  lock().lock();
}

void report(const Failure &failure) { newest = failure; }

const char *last_report() { return newest.text.c_str(); }

const char *last_report_of(int code) {
  return newest.code == code && !newest.text.empty() ? newest.text.c_str() : nullptr;
}

int guarded(int unexpected, const std::function<void()> &body) noexcept {
  try {
    std::lock_guard<std::mutex> hold(lock());
    body();
    return 0;
  } catch (const Failure &failure) {
    report(failure);
    return failure.code;
  } catch (const std::exception &error) {
    report({unexpected, error.what()});
    return unexpected;
  }
}

int64_t setting(const char *name, int64_t otherwise) {
  const char *text = getenv(name);
  return text && *text ? atoll(text) : otherwise;
}

bool reverse_order() {
  const char *text = getenv("SIAMBAN_EMULATED_ORDER");
  return text && !strcmp(text, "reverse");
}

int worker_threads() {
  unsigned cores = std::thread::hardware_concurrency();
  return static_cast<int>(setting("SIAMBAN_EMULATED_THREADS", cores > 1 ? 2 : 1));
}

int64_t memory_limit() { return setting("SIAMBAN_EMULATED_MEMORY", int64_t{8} << 30); }

}  // namespace emulated
