// What preparation calls, see src/image/native_crops.ts: a crop around a target and the mean colour of a
// frame, on pixels that are decoded already.
//
//   crop: the window of warp.cpp with the border's colour beyond the picture
//   mean: sum of a channel / number of pixels, of whole numbers, so exact in any order
#include <cstddef>

#include "native.hpp"

// Mean of B, G, R over `count` pixels.
SIAMBAN_EXPORT void siamban_image_mean(const uint8_t *pixels, uint32_t count, double *mean) {
  constexpr uint32_t kPiece = 1 << 16;  // a piece's sums stay below 2^24
  uint64_t sums[3] = {0, 0, 0};
  for (uint32_t start = 0; start < count; start += kPiece) {
    const uint32_t end = count - start < kPiece ? count : start + kPiece;
    uint32_t blue = 0, green = 0, red = 0;
    for (uint32_t i = start; i < end; i++) {
      blue += pixels[3 * std::size_t{i}];
      green += pixels[3 * std::size_t{i} + 1];
      red += pixels[3 * std::size_t{i} + 2];
    }
    sums[0] += blue;
    sums[1] += green;
    sums[2] += red;
  }
  for (int c = 0; c < 3; c++) mean[c] = static_cast<double>(sums[c]) / count;
}

// Writes the crop, [size, size, 3], of the window x1, y1, x2, y2 of a picture.
SIAMBAN_EXPORT void siamban_image_crop(const uint8_t *pixels, int32_t width, int32_t height,
                                       const double *window, int32_t size, const uint8_t *border,
                                       uint8_t *out) {
  siamban::Look look{};
  look.x1 = window[0];
  look.y1 = window[1];
  look.x2 = window[2];
  look.y2 = window[3];
  look.size = size;
  thread_local siamban::Part part;
  thread_local siamban::Taps columns, rows;
  part.width = width;
  part.height = height;
  part.x = part.y = 0;
  part.stride = 3 * width;
  part.pixels.assign(pixels, pixels + std::size_t{3} * width * height);
  siamban::tap_columns(look, width, columns);
  siamban::tap_rows(look, height, rows);
  siamban::warp(part, look, columns, rows, out, border);
}
