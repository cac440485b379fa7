// Tensors in device memory as floats: bfloat16 and half are widened when read and rounded to the
// nearest even when written.
#pragma once

#include <cstddef>
#include <cstdint>

namespace emulated {

// cudnnDataType_t.
enum DataType : int { kFloat = 0, kDouble = 1, kHalf = 2, kBfloat16 = 9 };

bool is_float_type(int type);
size_t bytes_of(int type);
float load_float(const void *data, int64_t index, int type);
void store_float(void *data, int64_t index, int type, float value);
// What a tensor core takes of a float32: the nearest with ten bits behind the point.
float to_tf32(float value);

}  // namespace emulated
