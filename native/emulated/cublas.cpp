// cuBLAS: matrix products, column-major.
#include <map>

#include "cudnn.hpp"
#include "device_memory.hpp"
#include "gemm.hpp"

using namespace emulated;

namespace {

enum Status {
  kNotInitializedStatus = 1,
  kInvalidValueStatus = 7,
  kExecutionFailedStatus = 13,
  kInternalError = 14,
  kUnsupportedStatus = 15
};

struct BlasHandle {
  Device *device;
  uint64_t stream;
};
Registry<BlasHandle> handles("cuBLAS handle", kNotInitializedStatus);

template <typename Body>
int blas_call(Body &&body) noexcept {
  return guarded(kInternalError, body);
}

Stream &stream_of(const BlasHandle &handle) {
  if (handle.device->broken.code)
    fail(kExecutionFailedStatus, "%s", handle.device->broken.text.c_str());
  if (handle.stream <= 1) return handle.device->legacy_stream;
  if (handle.stream == 2) return handle.device->thread_stream;
  return streams().at(reinterpret_cast<void *>(handle.stream));
}

// cudaDataType_t -> the numbers of floats.hpp.
int type_of(int type) {
  switch (type) {
    case 0:
      return kFloat;
    case 1:
      return kDouble;
    case 2:
      return kHalf;
    case 14:
      return kBfloat16;
  }
  fail(kUnsupportedStatus, "data type %d is not emulated", type);
}

// A column-major matrix in device memory; `rows` and `columns` as stored.
struct Stored {
  uint64_t data;
  int type;
  int64_t rows, columns, leading;
};

Stored stored(uint64_t data, int type, int op, int64_t rows, int64_t columns, int leading) {
  if (op < 0 || op > 2) fail(kInvalidValueStatus, "operation %d does not exist", op);
  if (op) std::swap(rows, columns);
  if (leading < std::max<int64_t>(1, rows)) {
    fail(kInvalidValueStatus, "leading dimension %d is below %zd rows", leading, size_t(rows));
  }
  return {data, type_of(type), rows, columns, leading};
}

std::vector<float> read(const char *what, const Stored &matrix) {
  require_range(what, matrix.data,
                ((matrix.columns - 1) * matrix.leading + matrix.rows) * bytes_of(matrix.type));
  std::vector<float> values(matrix.rows * matrix.columns);
  for (int64_t j = 0; j < matrix.columns; j++) {
    for (int64_t i = 0; i < matrix.rows; i++) {
      values[j * matrix.rows + i] =
          load_float(reinterpret_cast<void *>(matrix.data), j * matrix.leading + i, matrix.type);
    }
  }
  return values;
}

struct Product {
  int op_a, op_b;
  int64_t m, n, k;
  float alpha, beta;
  Stored a, b, c;
};

Matrix view(const std::vector<float> &values, const Stored &matrix, int op) {
  return op ? Matrix{values.data(), matrix.rows, 1} : Matrix{values.data(), 1, matrix.rows};
}

void run(const Product &p) {
  auto a = read("cuBLAS: A", p.a), b = read("cuBLAS: B", p.b);
  Stored c = p.c;
  require_range("cuBLAS: C", c.data, ((c.columns - 1) * c.leading + c.rows) * bytes_of(c.type));
  auto sums = p.beta != 0 ? read("cuBLAS: C", c) : std::vector<float>(c.rows * c.columns);
  gemm(p.m, p.n, p.k, p.alpha, view(a, p.a, p.op_a), view(b, p.b, p.op_b), p.beta, sums.data(), 1,
       c.rows);
  for (int64_t j = 0; j < c.columns; j++) {
    for (int64_t i = 0; i < c.rows; i++) {
      store_float(reinterpret_cast<void *>(c.data), j * c.leading + i, c.type,
                  sums[j * c.rows + i]);
    }
  }
}

void queue(void *handle, const Product &product) {
  if (product.m < 0 || product.n < 0 || product.k < 0)
    fail(kInvalidValueStatus, "a size is negative");
  if (!product.m || !product.n) return;
  submit(stream_of(handles.at(handle)),
         {Task::kLibrary, "cublasGemm", [=] { run(product); }, nullptr, {}});
}

}  // namespace

EMULATED_API int cublasCreate_v2(void **handle) {
  return blas_call([&] {
    Device *device = current_device_or_null();
    if (!device) fail(kNotInitializedStatus, "this thread has no current context");
    *handle = handles.add(std::make_unique<BlasHandle>(BlasHandle{device, 0}));
  });
}
EMULATED_API int cublasDestroy_v2(void *handle) {
  return blas_call([&] { handles.remove(handle); });
}
EMULATED_API int cublasSetStream_v2(void *handle, uint64_t stream) {
  return blas_call([&] {
    if (stream > 2) streams().at(reinterpret_cast<void *>(stream));
    handles.at(handle).stream = stream;
  });
}
EMULATED_API int cublasSetWorkspace_v2(void *handle, uint64_t workspace, size_t bytes) {
  return blas_call([&] {
    handles.at(handle);
    require_range("cuBLAS: workspace", workspace, bytes);
  });
}
EMULATED_API int cublasSetMathMode(void *handle, int) {
  return blas_call([&] { handles.at(handle); });
}
EMULATED_API int cublasSetPointerMode_v2(void *handle, int mode) {
  return blas_call([&] {
    handles.at(handle);
    if (mode) fail(kUnsupportedStatus, "scalars in device memory are not emulated");
  });
}
EMULATED_API int cublasGetProperty(int property, int *value) {
  *value = property == 0 ? 13 : 0;
  return 0;
}
EMULATED_API int cublasGetVersion_v2(void *, int *version) {
  *version = 130000;
  return 0;
}
EMULATED_API const char *cublasGetStatusString(int status) {
  static const std::map<int, const char *> names = {
      {0, "CUBLAS_STATUS_SUCCESS"},         {1, "CUBLAS_STATUS_NOT_INITIALIZED"},
      {7, "CUBLAS_STATUS_INVALID_VALUE"},   {13, "CUBLAS_STATUS_EXECUTION_FAILED"},
      {14, "CUBLAS_STATUS_INTERNAL_ERROR"}, {15, "CUBLAS_STATUS_NOT_SUPPORTED"}};
  static thread_local std::string words;
  auto found = names.find(status);
  words = found == names.end() ? "CUBLAS_STATUS unknown" : found->second;
  if (const char *detail = status ? last_report_of(status) : nullptr)
    words += std::string(": ") + detail;
  return words.c_str();
}

EMULATED_API int cublasGemmEx(void *handle, int op_a, int op_b, int m, int n, int k,
                              const float *alpha, uint64_t a, int type_a, int lda, uint64_t b,
                              int type_b, int ldb, const float *beta, uint64_t c, int type_c,
                              int ldc, int, int) {
  return blas_call([&] {
    queue(handle, {op_a, op_b, m, n, k, *alpha, *beta, stored(a, type_a, op_a, m, k, lda),
                   stored(b, type_b, op_b, k, n, ldb), stored(c, type_c, 0, m, n, ldc)});
  });
}

EMULATED_API int cublasSgemm_v2(void *handle, int op_a, int op_b, int m, int n, int k,
                                const float *alpha, uint64_t a, int lda, uint64_t b, int ldb,
                                const float *beta, uint64_t c, int ldc) {
  return cublasGemmEx(handle, op_a, op_b, m, n, k, alpha, a, 0, lda, b, 0, ldb, beta, c, 0, ldc, 68,
                      -1);
}

EMULATED_API int cublasGemmStridedBatchedEx(void *handle, int op_a, int op_b, int m, int n, int k,
                                            const float *alpha, uint64_t a, int type_a, int lda,
                                            int64_t stride_a, uint64_t b, int type_b, int ldb,
                                            int64_t stride_b, const float *beta, uint64_t c,
                                            int type_c, int ldc, int64_t stride_c, int batch,
                                            int compute, int algorithm) {
  for (int i = 0; i < batch; i++) {
    int status = cublasGemmEx(handle, op_a, op_b, m, n, k, alpha,
                              a + i * stride_a *
                                      (type_a == 0   ? 4
                                       : type_a == 1 ? 8
                                                     : 2),
                              type_a, lda,
                              b + i * stride_b *
                                      (type_b == 0   ? 4
                                       : type_b == 1 ? 8
                                                     : 2),
                              type_b, ldb, beta,
                              c + i * stride_c *
                                      (type_c == 0   ? 4
                                       : type_c == 1 ? 8
                                                     : 2),
                              type_c, ldc, compute, algorithm);
    if (status) return status;
  }
  return 0;
}
