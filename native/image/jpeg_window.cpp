// Decodes the part of a JPEG file that a window needs, with the pixels that decoding all of it gives.
//
// Entropy decoding runs to the window's last row, because each block's bits begin where the last one's
// end; inverse DCT, chroma upsampling and colour conversion are done for the window alone. At the edge
// of a cropped row the upsampling filter lacks its neighbours, so a margin is decoded and dropped.
#include "native.hpp"

#ifdef SIAMBAN_JPEG
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>
#endif

#ifdef LIBJPEG_TURBO_VERSION_NUMBER  // other libjpegs can neither skip nor crop

#include <algorithm>
#include <csetjmp>

namespace siamban {

namespace {

// The filter reaches one chroma sample, which is up to four pixels; rows likewise.
constexpr int32_t kMargin = 16;
constexpr int64_t kMaximumPixels = int64_t{1} << 28;

struct Errors {
  jpeg_error_mgr base;
  std::jmp_buf jump;
  char text[JMSG_LENGTH_MAX];
};

Errors *errors_of(j_common_ptr common) { return reinterpret_cast<Errors *>(common->err); }

void fail(j_common_ptr common) {
  Errors *errors = errors_of(common);
  common->err->format_message(common, errors->text);
  std::longjmp(errors->jump, 1);
}

// Level -1 is a warning: the file is damaged, and libjpeg would guess what is missing.
void hear(j_common_ptr common, int level) {
  if (level < 0) fail(common);
}

}  // namespace

struct Decoder {
  jpeg_decompress_struct jpeg;
  Errors errors;
};

Decoder *create_decoder() {
  Decoder *decoder = new Decoder();
  decoder->jpeg.err = jpeg_std_error(&decoder->errors.base);
  decoder->errors.base.error_exit = fail;
  decoder->errors.base.emit_message = hear;
  if (setjmp(decoder->errors.jump)) {
    delete decoder;
    return nullptr;
  }
  jpeg_create_decompress(&decoder->jpeg);
  return decoder;
}

void destroy_decoder(Decoder *decoder) {
  jpeg_destroy_decompress(&decoder->jpeg);
  delete decoder;
}

const char *error_of(const Decoder *decoder) { return decoder->errors.text; }

Status read_header(Decoder *decoder, const uint8_t *bytes, uint32_t count, Part &part) {
  jpeg_decompress_struct &jpeg = decoder->jpeg;
  if (setjmp(decoder->errors.jump)) {
    jpeg_abort_decompress(&jpeg);
    return kDamaged;
  }
  jpeg_abort_decompress(&jpeg);
  jpeg_mem_src(&jpeg, const_cast<uint8_t *>(bytes), count);
  jpeg_read_header(&jpeg, TRUE);
  bool known = jpeg.jpeg_color_space == JCS_YCbCr || jpeg.jpeg_color_space == JCS_GRAYSCALE;
  bool large = int64_t{jpeg.image_width} * jpeg.image_height > kMaximumPixels;
  if (!known || large || jpeg_has_multiple_scans(&jpeg)) {
    jpeg_abort_decompress(&jpeg);
    return kUnsupported;
  }
  part.width = jpeg.image_width;
  part.height = jpeg.image_height;
  return kDone;
}

Status decode_part(Decoder *decoder, Span columns, Span rows, Part &part) {
  jpeg_decompress_struct &jpeg = decoder->jpeg;
  if (setjmp(decoder->errors.jump)) {
    jpeg_abort_decompress(&jpeg);
    return kDamaged;
  }
  jpeg.out_color_space = JCS_EXT_BGR;
  jpeg.dct_method = JDCT_ISLOW;
  jpeg_start_decompress(&jpeg);
  JDIMENSION left = std::max(0, columns.first - kMargin);
  JDIMENSION width = std::min(part.width, columns.last + 1 + kMargin) - left;
  jpeg_crop_scanline(&jpeg, &left, &width);
  JDIMENSION top = std::max(0, rows.first - kMargin);
  if (top > 0) jpeg_skip_scanlines(&jpeg, top);
  part.x = left;
  part.y = top;
  part.stride = 3 * width;
  int32_t count = rows.last + 1 - static_cast<int32_t>(top);
  part.pixels.resize(size_t{1} * part.stride * count);
  for (int32_t row = 0; row < count;) {
    JSAMPROW line = part.pixels.data() + size_t{1} * row * part.stride;
    row += jpeg_read_scanlines(&jpeg, &line, 1);
  }
  jpeg_abort_decompress(&jpeg);
  return kDone;
}

}  // namespace siamban

#else  // every file goes to the general decoder

namespace siamban {

struct Decoder {};

Decoder *create_decoder() { return new Decoder(); }
void destroy_decoder(Decoder *decoder) { delete decoder; }
const char *error_of(const Decoder *) { return ""; }
Status read_header(Decoder *, const uint8_t *, uint32_t, Part &) { return kUnsupported; }
Status decode_part(Decoder *, Span, Span, Part &) { return kUnsupported; }

}  // namespace siamban

#endif
