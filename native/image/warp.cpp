// Scales a window of a picture to a square with OpenCV's fixed-point bilinear rule, see
// src/image/warp.ts: positions in 1/32 pixel, out = (sum of weights * pixels + 2^9) >> 10.
//
// Two passes a row: the two source rows are blended over the window's width (vectorised), then each
// output pixel blends two neighbours of that line. The line has the border's colour in front, for what
// lies beyond the picture on either side, so no pixel is a special case.
#include <algorithm>
#include <cmath>

#include "native.hpp"

namespace siamban {

namespace {

struct Axis {
  double slope, offset;
};

// Inverts out = a (in - start) in the operations and the order of OpenCV's warpAffine.
void invert(const Look &look, Axis &x, Axis &y) {
  double a = (look.size - 1) / (look.x2 - look.x1);
  double b = (look.size - 1) / (look.y2 - look.y1);
  double inverse = a * b != 0 ? 1 / (a * b) : 0;
  x.slope = b * inverse;
  y.slope = a * inverse;
  x.offset = -x.slope * (-a * look.x1);
  y.offset = -y.slope * (-b * look.y1);
}

template <typename Position>
void fill(Taps &taps, int32_t count, int32_t limit, Position position) {
  taps.first.resize(count);
  taps.share.resize(count);
  for (int32_t i = 0; i < count; i++) {
    double rounded = std::floor((position(i) + 16) / 32);
    double first = std::floor(rounded / 32);
    taps.share[i] = static_cast<int32_t>(rounded - 32 * first);
    taps.first[i] = static_cast<int32_t>(std::max(-2.0, std::min(double(limit), first)));
  }
  auto inside = [limit](int32_t pixel) { return std::max(0, std::min(limit - 1, pixel)); };
  taps.used = {inside(taps.first.front()), inside(taps.first.back() + 1)};
}

}  // namespace

void tap_columns(const Look &look, int32_t width, Taps &taps) {
  Axis x, y;
  invert(look, x, y);
  double start = std::nearbyint(x.offset * 1024);
  fill(taps, static_cast<int32_t>(look.size), width, [=](int32_t i) {
    return start + std::nearbyint(x.slope * i * 1024);
  });
  if (look.flip == 0) return;
  std::reverse(taps.first.begin(), taps.first.end());
  std::reverse(taps.share.begin(), taps.share.end());
}

void tap_rows(const Look &look, int32_t height, Taps &taps) {
  Axis x, y;
  invert(look, x, y);
  fill(taps, static_cast<int32_t>(look.size), height, [=](int32_t i) {
    return std::nearbyint((y.slope * i + y.offset) * 1024);
  });
}

// Gray in all three channels, with OpenCV's 15-bit weights.
void remove_color(Part &part, Span columns, Span rows) {
  for (int32_t y = rows.first; y <= rows.last; y++) {
    uint8_t *pixel =
        part.pixels.data() + int64_t{y - part.y} * part.stride + 3 * (columns.first - part.x);
    for (int32_t i = 0; i < columns.count(); i++, pixel += 3) {
      int32_t gray = (3735 * pixel[0] + 19235 * pixel[1] + 9798 * pixel[2] + 16384) >> 15;
      pixel[0] = pixel[1] = pixel[2] = static_cast<uint8_t>(gray);
    }
  }
}

void warp(const Part &part, const Look &look, const Taps &columns, const Taps &rows,
          uint8_t *out, const uint8_t *border) {
  const int32_t size = static_cast<int32_t>(look.size);
  const Span used = columns.used;
  const int32_t length = 3 * used.count();
  // Pixel 0 is the border, pixel k column k - 1 of the window; as 32 * value. The one behind is for
  // the vector that reads a pixel and one more.
  std::vector<int32_t> line(length + 3 + 4, 0);
  std::vector<uint8_t> outside(length, 0);
  if (border) {
    for (int32_t i = 0; i < length; i++) outside[i] = border[i % 3];
    for (int32_t i = 0; i < 3; i++) line[i] = 32 * border[i];
  }
  std::vector<int32_t> left(size), right(size);
  auto place = [&](int32_t x) { return x < 0 || x >= part.width ? 0 : 3 * (x - used.first + 1); };
  for (int32_t x = 0; x < size; x++) {
    left[x] = place(columns.first[x]);
    right[x] = place(columns.first[x] + 1);
  }
  auto row = [&](int32_t y) {
    if (y < 0 || y >= part.height) return outside.data();
    return const_cast<uint8_t *>(part.pixels.data()) + int64_t{y - part.y} * part.stride +
           3 * (used.first - part.x);
  };
  typedef int32_t Quad __attribute__((vector_size(16), aligned(4)));
  for (int32_t y = 0; y < size; y++, out += 3 * size) {
    const uint8_t *upper = row(rows.first[y]), *lower = row(rows.first[y] + 1);
    if (upper == lower) {  // a row of nothing but border
      for (int32_t i = 0; i < 3 * size; i++) out[i] = border ? border[i % 3] : 0;
      continue;
    }
    const int32_t share = rows.share[y], rest = 32 - share;
    int32_t *blended = line.data() + 3;
    for (int32_t i = 0; i < length; i++) blended[i] = rest * upper[i] + share * lower[i];
    for (int32_t x = 0; x < size; x++) {
      const int32_t part_b = columns.share[x], part_a = 32 - part_b;
      const Quad a = *reinterpret_cast<const Quad *>(line.data() + left[x]);
      const Quad b = *reinterpret_cast<const Quad *>(line.data() + right[x]);
      const Quad sum = (part_a * a + part_b * b + 512) >> 10;
      out[3 * x] = static_cast<uint8_t>(sum[0]);
      out[3 * x + 1] = static_cast<uint8_t>(sum[1]);
      out[3 * x + 2] = static_cast<uint8_t>(sum[2]);
    }
  }
}

}  // namespace siamban
