// What the loader calls, see src/image/native_images.ts: header, decode, render, in this order, for one
// file at a time. A session belongs to one thread; the file's bytes stay in place between the calls.
#include <cstddef>
#include <new>

#include "native.hpp"

namespace siamban {

struct Session {
  Decoder *decoder;
  Part part;
  Taps columns, rows;
  std::vector<uint8_t> cut;
};

}  // namespace siamban

using siamban::Look;
using siamban::Session;

SIAMBAN_EXPORT Session *siamban_image_create() {
  siamban::Decoder *decoder = siamban::create_decoder();
  return decoder ? new (std::nothrow) Session{decoder, {}, {}, {}, {}} : nullptr;
}

SIAMBAN_EXPORT void siamban_image_destroy(Session *session) {
  siamban::destroy_decoder(session->decoder);
  delete session;
}

// The words for the last kDamaged.
SIAMBAN_EXPORT const char *siamban_image_error(const Session *session) {
  return siamban::error_of(session->decoder);
}

// Reads width and height of a JPEG file into `size`.
SIAMBAN_EXPORT int32_t siamban_image_header(Session *session, const uint8_t *jpeg, uint32_t bytes,
                                            int32_t *size) {
  siamban::Status status = siamban::read_header(session->decoder, jpeg, bytes, session->part);
  size[0] = session->part.width;
  size[1] = session->part.height;
  return status;
}

// Decodes what the look's window needs.
SIAMBAN_EXPORT int32_t siamban_image_decode(Session *session, const Look *look) {
  siamban::Part &part = session->part;
  siamban::tap_columns(*look, part.width, session->columns);
  siamban::tap_rows(*look, part.height, session->rows);
  return siamban::decode_part(session->decoder, session->columns.used, session->rows.used, part);
}

// Writes the training image, [size, size, 3].
SIAMBAN_EXPORT void siamban_image_render(Session *session, const Look *look, float *out) {
  siamban::Part &part = session->part;
  const siamban::Taps &columns = session->columns, &rows = session->rows;
  if (look->gray != 0) siamban::remove_color(part, columns.used, rows.used);
  session->cut.resize(3 * static_cast<size_t>(look->size) * static_cast<size_t>(look->size));
  siamban::warp(part, *look, columns, rows, session->cut.data());
  siamban::finish(session->cut.data(), *look, out);
}
