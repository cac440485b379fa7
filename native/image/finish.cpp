// The steps behind the warp, see src/image/look.ts: a cross-shaped blur and a colour taken away.
//
//   blurred = share / n * (sum of n pixels of the column) + (1 - share) / n * (sum of n of the row)
//   out = blurred - colour     in double, rounded to float once; without colour rounded to an integer
//
// The sums are running sums of whole numbers, so they are exact in any order. Borders are mirrored
// without repeating the edge pixel.
#include <algorithm>
#include <cmath>

#include "native.hpp"

namespace siamban {

namespace {

int32_t mirror(int32_t i, int32_t n) {
  if (n == 1) return 0;
  int32_t period = 2 * (n - 1), k = ((i % period) + period) % period;
  return k < n ? k : period - k;
}

void add_row(int32_t *sums, const uint8_t *row, int32_t length) {
  for (int32_t i = 0; i < length; i++) sums[i] += row[i];
}

void move_rows(int32_t *sums, const uint8_t *enter, const uint8_t *leave, int32_t length) {
  for (int32_t i = 0; i < length; i++) sums[i] += int32_t{enter[i]} - int32_t{leave[i]};
}

void blur(const uint8_t *cut, const Look &look, float *out) {
  const int32_t size = static_cast<int32_t>(look.size), length = 3 * size;
  const int32_t n = static_cast<int32_t>(look.blur_size), radius = (n - 1) / 2;
  const double vertical = look.vertical_share / n, horizontal = (1 - look.vertical_share) / n;
  auto row = [&](int32_t y) { return cut + int64_t{length} * mirror(y, size); };
  std::vector<int32_t> sums(length, 0);
  for (int32_t dy = -radius - 1; dy < radius; dy++) add_row(sums.data(), row(dy), length);
  // Entry k + 1 of `before` is the sum of the mirrored row's first k + 1 pixels, a channel each.
  std::vector<int32_t> before(3 * (size + n)), place(size + n - 1);
  for (int32_t k = 0; k < size + n - 1; k++) place[k] = 3 * mirror(k - radius, size);
  std::vector<double> color(length);
  for (int32_t i = 0; i < length; i++) color[i] = look.colored != 0 ? look.color[i % 3] : 0;
  for (int32_t y = 0; y < size; y++, out += length) {
    move_rows(sums.data(), row(y + radius), row(y - radius - 1), length);
    const uint8_t *here = row(y);
    int32_t blue = 0, green = 0, red = 0;
    for (int32_t k = 0; k < size + n - 1; k++) {
      before[3 * k + 3] = blue += here[place[k]];
      before[3 * k + 4] = green += here[place[k] + 1];
      before[3 * k + 5] = red += here[place[k] + 2];
    }
    const int32_t *start = before.data(), *end = start + 3 * n;
    if (look.colored != 0) {
      for (int32_t i = 0; i < length; i++) {
        double mean = vertical * sums[i] + horizontal * (end[i] - start[i]);
        out[i] = static_cast<float>(mean - color[i]);
      }
    } else {
      for (int32_t i = 0; i < length; i++) {
        double mean = vertical * sums[i] + horizontal * (end[i] - start[i]);
        out[i] = static_cast<float>(std::min(255.0, std::max(0.0, std::nearbyint(mean))));
      }
    }
  }
}

void convert(const uint8_t *cut, const Look &look, float *out) {
  const int64_t count = 3 * static_cast<int64_t>(look.size) * static_cast<int64_t>(look.size);
  if (look.colored == 0) {
    for (int64_t i = 0; i < count; i++) out[i] = cut[i];
    return;
  }
  // There are 256 values a channel: a table holds each difference, rounded once.
  float table[3][256];
  for (int32_t c = 0; c < 3; c++) {
    for (int32_t value = 0; value < 256; value++) {
      table[c][value] = static_cast<float>(value - look.color[c]);
    }
  }
  for (int64_t i = 0; i < count; i += 3) {
    out[i] = table[0][cut[i]];
    out[i + 1] = table[1][cut[i + 1]];
    out[i + 2] = table[2][cut[i + 2]];
  }
}

}  // namespace

void finish(const uint8_t *cut, const Look &look, float *out) {
  if (look.blur_size > 0) blur(cut, look, out);
  else convert(cut, look, out);
}

}  // namespace siamban
