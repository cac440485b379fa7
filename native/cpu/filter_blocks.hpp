// Filters as small convolutions read them: [block of outputs][row of the filter][k][vectors of outputs], where a
// block is up to three vectors and k runs through a row's taps and channels. Outputs that fill up the last
// vector are zeros.
#pragma once

#include <algorithm>
#include <cstdint>

#include "product_block.hpp"
#include "vector.hpp"

namespace siamban {

class FilterBlocks {
 public:
  FilterBlocks(int64_t outputs, int64_t runs, int64_t depth)
      : outputs_(outputs), runs_(runs), depth_(depth), vectors_((outputs + kLanes - 1) / kLanes) {}

  int64_t count() const { return (vectors_ + kMostVectors - 1) / kMostVectors; }
  // Blocks are of nearly equal width: one vector alone reads as much of the image as three.
  int64_t first_vector(int64_t block) const { return vectors_ * block / count(); }
  int64_t vectors(int64_t block) const { return first_vector(block + 1) - first_vector(block); }
  int64_t floats() const { return vectors_ * kLanes * runs_ * depth_; }
  const float *at(const float *packed, int64_t block) const {
    return packed + first_vector(block) * kLanes * runs_ * depth_;
  }

  // From OHWI.
  void pack(const float *filter, float *packed) const {
    for (int64_t block = 0; block < count(); block++) {
      const int64_t first = first_vector(block) * kLanes, width = vectors(block) * kLanes;
      for (int64_t k = 0; k < runs_ * depth_; k++) {
        for (int64_t o = first; o < first + width; o++) {
          *packed++ = o < outputs_ ? filter[o * runs_ * depth_ + k] : 0.f;
        }
      }
    }
  }

  // From [k][output], one run.
  void pack_turned(const float *filter, float *packed) const {
    for (int64_t block = 0; block < count(); block++) {
      const int64_t first = first_vector(block) * kLanes, width = vectors(block) * kLanes;
      for (int64_t k = 0; k < depth_; k++) {
        for (int64_t o = first; o < first + width; o += kLanes, packed += kLanes) {
          const float *from = filter + k * outputs_ + o;
          store(packed, o + kLanes <= outputs_ ? load(from) : load_part(from, outputs_ - o));
        }
      }
    }
  }

  // What a block of outputs wants of its surroundings; the caller says where it reads and writes.
  ProductBlock block(int64_t index, const float *packed, const float *bias, int64_t activation) const {
    const int64_t first = first_vector(index) * kLanes, width = vectors(index) * kLanes;
    ProductBlock result = {};
    result.b = at(packed, index);
    result.b_run = depth_ * width;
    result.runs = runs_;
    result.depth = depth_;
    result.bias = bias ? bias + first : nullptr;
    result.outputs = std::min(outputs_ - first, width);
    result.y_row = outputs_;
    result.activation = activation;
    return result;
  }

 private:
  int64_t outputs_, runs_, depth_, vectors_;
};

}  // namespace siamban
