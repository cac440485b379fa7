// Handles are addresses of objects; a registry knows which of them are alive.
#pragma once

#include <unordered_map>
#include <memory>

#include "core.hpp"

namespace emulated {

template <typename T>
class Registry {
 public:
  Registry(const char *kind, int code) : kind_(kind), code_(code) {}

  T *add(std::unique_ptr<T> object) {
    T *handle = object.get();
    objects_.emplace(handle, std::move(object));
    return handle;
  }

  // Throws Failure{code} for what is no live handle.
  T &at(const void *handle) const {
    auto found = objects_.find(const_cast<T *>(static_cast<const T *>(handle)));
    if (found == objects_.end()) fail(code_, "0x%zx is no live %s", size_t(handle), kind_);
    return *found->second;
  }

  // The handle is dead from now on; the object lives as long as the caller keeps it.
  std::unique_ptr<T> remove(const void *handle) {
    at(handle);
    auto found = objects_.find(const_cast<T *>(static_cast<const T *>(handle)));
    std::unique_ptr<T> object = std::move(found->second);
    objects_.erase(found);
    return object;
  }

  template <typename Visit>
  void each(Visit visit) const {
    for (auto &[handle, object] : objects_) visit(*object);
  }

 private:
  const char *kind_;
  int code_;
  std::unordered_map<T *, std::unique_ptr<T>> objects_;
};

}  // namespace emulated
