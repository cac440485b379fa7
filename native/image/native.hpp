// What the functions for training pictures share: the calling convention, a picture's look, and the
// memory that one thread uses again from picture to picture. Nothing here prints or exits.
//
// Arithmetic equals that of src/image bit for bit: compile with -ffp-contract=off.
#pragma once

#include <cstdint>
#include <vector>

#define SIAMBAN_EXPORT extern "C" __attribute__((visibility("default")))

namespace siamban {

enum Status : int32_t {
  kDone = 0,
  kUnsupported = 1,  // a file for the general decoder
  kDamaged = 2,      // siamban_image_error has the words
};

// Which part of a picture becomes a training image, and how it is varied; numbers of look.ts.
struct Look {
  double x1, y1, x2, y2;  // the window in pixels of the picture
  double size;            // side of the result
  double gray;            // 0 or 1
  double colored;         // 0 or 1: whether the colour below is taken away
  double color[3];
  double blur_size;  // of the cross, odd; 0 for none
  double vertical_share;
  double flip;  // 0 or 1
};

// Pixels first..last of an axis.
struct Span {
  int32_t first, last;
  int32_t count() const { return last - first + 1; }
};

// Along one axis: the first of two source pixels for each output pixel, and the second one's share.
struct Taps {
  std::vector<int32_t> first;
  std::vector<int32_t> share;  // 0..31, in 1/32
  Span used;                   // inside the picture
};

// B, G, R of a part of a picture; all other pixels are never asked for.
struct Part {
  int32_t width = 0, height = 0;  // of the whole picture
  int32_t x = 0, y = 0;           // of the part's first pixel
  int32_t stride = 0;             // bytes from row to row
  std::vector<uint8_t> pixels;
};

struct Decoder;
Decoder *create_decoder();
void destroy_decoder(Decoder *);
const char *error_of(const Decoder *);
Status read_header(Decoder *, const uint8_t *jpeg, uint32_t bytes, Part &part);
Status decode_part(Decoder *, Span columns, Span rows, Part &part);

void tap_columns(const Look &, int32_t width, Taps &);
void tap_rows(const Look &, int32_t height, Taps &);
void remove_color(Part &, Span columns, Span rows);
// `border` is what lies beyond the picture: B, G, R, or black.
void warp(const Part &, const Look &, const Taps &columns, const Taps &rows, uint8_t *out,
          const uint8_t *border = nullptr);
void finish(const uint8_t *cut, const Look &, float *out);

}  // namespace siamban
