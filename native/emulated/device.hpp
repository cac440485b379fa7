// An emulated card and its primary context.
#pragma once

#include <memory>
#include <vector>

#include "handles.hpp"
#include "module.hpp"
#include "stream.hpp"

namespace emulated {

struct Device {
  int number;
  int retained = 0;
  Failure broken{0, ""};  // sticky: the context is lost
  Stream legacy_stream{};
  Stream thread_stream{};
  std::vector<Module *> modules;
};

// SIAMBAN_EMULATED_DEVICES, 1 by default.
int device_count();
// Throws Failure{kInvalidDevice}.
Device &device_at(int number);
// The device of the calling thread's current context; throws Failure if there is none or it is lost.
Device &current_device();
Device *current_device_or_null();
void set_current_device(Device *device);
void initialise();
bool is_initialised();
// Ends everything that belongs to the context; the device works again.
void reset(Device &device);

Registry<Stream> &streams();
Registry<Event> &events();

}  // namespace emulated
