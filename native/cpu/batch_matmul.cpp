// Products of matrices, one an image: c[b] = op(a[b]) · op(b[b]) with op the identity or the transpose, row-major,
// through oneDNN's own sgemm. A factor with one image is every image's.

#include <dnnl.hpp>
#include <stdexcept>

#include "native.hpp"

namespace {

struct Args {
  const float *a, *b;
  float *c;
  int64_t batch, rows, columns, depth;
  int64_t transpose_a, transpose_b;  // a is [depth, rows], b is [columns, depth] where set
  int64_t stride_a, stride_b;        // floats from one image's factor to the next; 0 where shared
};

}  // namespace

SIAMBAN_EXPORT int32_t siamban_batch_matmul(const Args *args) {
  return siamban::guarded([&] {
    const Args &m = *args;
    for (int64_t i = 0; i < m.batch; i++) {
      const auto status =
          dnnl_sgemm(m.transpose_a ? 'T' : 'N', m.transpose_b ? 'T' : 'N', m.rows, m.columns,
                     m.depth, 1.f, m.a + i * m.stride_a, m.transpose_a ? m.rows : m.depth,
                     m.b + i * m.stride_b, m.transpose_b ? m.depth : m.columns, 0.f,
                     m.c + i * m.rows * m.columns, m.columns);
      if (status != dnnl_success) throw std::runtime_error("oneDNN refused a product of matrices");
    }
  });
}
