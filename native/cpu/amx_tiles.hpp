// Matrix tiles (Intel AMX) for float32: each factor is split into bfloat16 parts, a = a₁ + a₂ + a₃ with
// a₁ = bf16(a), a₂ = bf16(a − a₁), …, and products are summed in float32 (Henry, Tang and Heinecke,
// "Leveraging the bfloat16 Artificial Intelligence Datatype For Higher-Precision Computations", 2019).
//   2 parts: a b ≈ a₁ b₁ + a₁ b₂ + a₂ b₁, off by at most 3 · 2⁻¹⁸ of |a b|, about 1e-5.
//   3 parts: six products, all but those below 2⁻²⁴ of |a b|: what float32 itself rounds away.
// A tile multiplies sixteen times what vector registers do, so even six products leave a gain.
//
// A tile of the first factor holds 16 rows of 32 numbers, one of the second 16 columns of 32 numbers as
// 16 rows of 16 pairs; either is 1 KB a part. Numbers below 2⁻¹²⁶ count as 0; an infinity may give
// not-a-number.
#pragma once

#include <cstdint>

#if defined(__AMX_BF16__) && defined(__AMX_TILE__) && defined(__AVX512BF16__) && defined(__AVX512BW__)
#define SIAMBAN_AMX 1
#include <immintrin.h>
#endif

namespace siamban {

// Whether this processor has tiles and the system lets this process use them.
bool amx_usable();

#ifdef SIAMBAN_AMX

constexpr int64_t kTileRows = 16;
constexpr int64_t kTileDepth = 32;   // numbers that one tile product sums over
constexpr int64_t kTileBytes = 1024;
constexpr int64_t kTileFloats = kTileBytes / sizeof(float);
// A pair of tiles each way is what the eight tile registers hold.
constexpr int64_t kPairFloats = 4 * kTileFloats;

// Sets up the tile registers of this thread, and gives them back.
class TileScope {
 public:
  TileScope() {
    struct alignas(64) {
      uint8_t palette = 1, start = 0, reserved[14] = {};
      uint16_t row_bytes[16] = {};
      uint8_t rows[16] = {};
    } shape;
    for (int i = 0; i < 8; i++) shape.row_bytes[i] = 64, shape.rows[i] = kTileRows;
    asm volatile("" : : "r"(&shape) : "memory");  // the compiler does not know that all of it is read
    _tile_loadconfig(&shape);
  }
  ~TileScope() { _tile_release(); }
  TileScope(const TileScope &) = delete;
};

// Steps of a sum at a time: the tiles of one factor, 2 KB a part each, leave the first cache (48 KB) room for
// what passes by.
template <int parts>
constexpr int64_t kChunkSteps = parts == 3 ? 3 : 4;

inline int64_t blocks(int64_t count, int64_t size) { return (count + size - 1) / size; }

// From `first` up to, not including, `last`.
struct Range {
  int64_t first, last;

  int64_t count() const { return last - first; }
};

inline Range share(int64_t count, int64_t index, int64_t parts) {
  return {count * index / parts, count * (index + 1) / parts};
}

// One step of the sum: where its tiles lie, from the bases that the whole sum shares.
struct TileStep {
  int64_t left, right;
};

struct TileSum {
  const char *left[2];   // first parts of two tiles of the first factor
  int64_t left_rest;     // bytes from first to second part
  int64_t left_row;      // bytes between rows
  const char *right[2];
  int64_t right_rest;
};

#define SIAMBAN_ADD_PRODUCTS() \
  _tile_dpbf16ps(0, 4, 6);     \
  _tile_dpbf16ps(1, 4, 7);     \
  _tile_dpbf16ps(2, 5, 6);     \
  _tile_dpbf16ps(3, 5, 7)

// Adds the products of `count` steps to 2 x 2 tiles: sums [2][2][16][16], first by rows. Small products
// first; each loaded tile serves as many products as it can.
template <int parts>
void add_tile_products(const TileSum &at, const TileStep *steps, int64_t count, bool fresh,
                       float *sums) {
  asm volatile("" ::: "memory");  // the compiler does not know that tile loads read memory
  if (fresh) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  } else {
    _tile_loadd(0, sums, 64);
    _tile_loadd(1, sums + kTileFloats, 64);
    _tile_loadd(2, sums + 2 * kTileFloats, 64);
    _tile_loadd(3, sums + 3 * kTileFloats, 64);
  }
  const char *left0 = at.left[0], *left1 = at.left[1], *right0 = at.right[0], *right1 = at.right[1];
  const int64_t left_rest = at.left_rest, right_rest = at.right_rest, row = at.left_row;
  for (int64_t s = 0; s < count; s++) {
    const char *a0 = left0 + steps[s].left, *a1 = left1 + steps[s].left;
    const char *b0 = right0 + steps[s].right, *b1 = right1 + steps[s].right;
    auto load_left = [&](int64_t part) {
      _tile_loadd(4, a0 + part * left_rest, row);
      _tile_loadd(5, a1 + part * left_rest, row);
    };
    auto load_right = [&](int64_t part) {
      _tile_loadd(6, b0 + part * right_rest, 64);
      _tile_loadd(7, b1 + part * right_rest, 64);
    };
    load_right(0);
    for (int part = parts - 1; part > 0; part--) {
      load_left(part);
      SIAMBAN_ADD_PRODUCTS();
    }
    load_left(0);
    SIAMBAN_ADD_PRODUCTS();
    load_right(1);
    SIAMBAN_ADD_PRODUCTS();
    if (parts == 3) {
      load_left(1);
      SIAMBAN_ADD_PRODUCTS();
      load_left(0);
      load_right(2);
      SIAMBAN_ADD_PRODUCTS();
    }
  }
  _tile_stored(0, sums, 64);
  _tile_stored(1, sums + kTileFloats, 64);
  _tile_stored(2, sums + 2 * kTileFloats, 64);
  _tile_stored(3, sums + 3 * kTileFloats, 64);
}

#endif

}  // namespace siamban
