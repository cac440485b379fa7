#include "device.hpp"

#include "device_memory.hpp"

namespace emulated {

namespace {
bool initialised = false;
thread_local Device *current = nullptr;

std::vector<std::unique_ptr<Device>> make_devices() {
  std::vector<std::unique_ptr<Device>> devices;
  for (int i = 0; i < device_count(); i++) {
    auto device = std::make_unique<Device>();
    device->number = i;
    device->legacy_stream = {device.get(), true, true, {}, 0, 0, nullptr};
    device->thread_stream = {device.get(), true, false, {}, 0, 0, nullptr};
    devices.push_back(std::move(device));
  }
  return devices;
}

std::vector<std::unique_ptr<Device>> &devices() {
  static auto list = make_devices();
  return list;
}

void drop_work(Stream &stream) {
  stream.queue.clear();
  stream.done = stream.queued;
  stream.capture = nullptr;
}
}  // namespace

int device_count() { return static_cast<int>(setting("SIAMBAN_EMULATED_DEVICES", 1)); }

Device &device_at(int number) {
  if (!initialised) fail(kNotInitialized, "cuInit was not called");
  if (number < 0 || number >= int(devices().size())) {
    fail(kInvalidDevice, "device %d does not exist, there are %zu", number, devices().size());
  }
  return *devices()[number];
}

Device &current_device() {
  if (!initialised) fail(kNotInitialized, "cuInit was not called");
  if (!current) fail(kInvalidContext, "this thread has no current context");
  if (current->broken.code) throw current->broken;
  return *current;
}

Device *current_device_or_null() { return current; }

void set_current_device(Device *device) { current = device; }

void initialise() { initialised = true; }

bool is_initialised() { return initialised; }

void reset(Device &device) {
  drop_work(device.legacy_stream);
  drop_work(device.thread_stream);
  streams().each([&](Stream &stream) {
    if (stream.device == &device) drop_work(stream);
  });
  release_all(device.number);
  for (Module *module : device.modules) unload_module(module);
  device.modules.clear();
  device.broken = {0, ""};
}

Registry<Stream> &streams() {
  static Registry<Stream> registry("stream", kInvalidHandle);
  return registry;
}

Registry<Event> &events() {
  static Registry<Event> registry("event", kInvalidHandle);
  return registry;
}

}  // namespace emulated
