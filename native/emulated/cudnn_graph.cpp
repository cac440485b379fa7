// cuDNN's graph API: a convolution and its tail, engines for them, and what they compute.
//
//   y = relu(convolution(x, w) + residual + bias), all but the convolution where asked
//
// The engines keep the marks of cuDNN 9's for sm_90, whose heuristics answer without a card: ready
// ones take a bias in the type of the images only, and those with tensor cores come first; for
// anything else a kernel is compiled first.
#include <cmath>

#include "cudnn_backend.hpp"
#include "device_memory.hpp"

namespace emulated {

namespace {

constexpr int kTensorCores = 51, kPlain = 11, kStrict = 0, kCompiled = 4;
constexpr int kFallbackMode = 2, kAdd = 0, kReluForward = 100;

std::vector<int64_t> int64s(const BackendDescriptor &descriptor, int attribute) {
  std::vector<int64_t> values;
  for (int64_t i = 0; i < descriptor.count(attribute); i++)
    values.push_back(descriptor.get<int64_t>(attribute, i));
  return values;
}

bool is_virtual(const BackendDescriptor &tensor) {
  return tensor.has(907) && tensor.get<char>(907);
}
int64_t id_of(const BackendDescriptor &tensor) { return tensor.get<int64_t>(906); }

TensorDescriptor shape_of(const BackendDescriptor &tensor) {
  return {tensor.get<int>(901), int64s(tensor, 902), int64s(tensor, 903)};
}

FilterDescriptor filter_of(const BackendDescriptor &tensor) {
  TensorDescriptor shape = shape_of(tensor);
  FilterDescriptor filter{shape.type, 1, {}};
  for (int i = 0; i < 4; i++) filter.dims[i] = shape.dims[i];
  if (as_tensor(filter).strides != shape.strides)
    fail(kNotSupportedStatus, "filters lie otherwise than as [K, R, S, C]");
  return filter;
}

ConvolutionShape shape_of_convolution(const BackendDescriptor &operation) {
  const BackendDescriptor &geometry = part_of(operation, 702, kConvolution);
  auto dilation = int64s(geometry, 102), stride = int64s(geometry, 103);
  auto after = int64s(geometry, 104), before = int64s(geometry, 105);
  if (dilation.size() != 2) fail(kNotSupportedStatus, "only two axes are emulated");
  if (after != before) fail(kNotSupportedStatus, "padding before and after differs");
  TensorDescriptor x = shape_of(part_of(operation, 704, kTensor));
  TensorDescriptor y = shape_of(part_of(operation, 705, kTensor));
  FilterDescriptor w = filter_of(part_of(operation, 703, kTensor));
  ConvolutionDescriptor convolution;
  convolution.set = true;
  convolution.mode = geometry.get<int>(101);
  // Groups show in the channels alone.
  convolution.groups = int(x.dims[1] / w.dims[1]);
  convolution.pad_h = before[0], convolution.pad_w = before[1];
  convolution.stride_h = stride[0], convolution.stride_w = stride[1];
  convolution.dilation_h = dilation[0], convolution.dilation_w = dilation[1];
  return convolution_shape(x, w, convolution, y);
}

void use(FusedGraph &graph, const BackendDescriptor &tensor) {
  if (is_virtual(tensor)) fail(kNotSupportedPattern, "an operand of the graph is virtual");
  graph.alignment[id_of(tensor)] = tensor.get<int64_t>(900);
}

void read_convolution(FusedGraph &graph, const BackendDescriptor &operation) {
  const BackendDescriptor &x = part_of(operation, 704, kTensor);
  const BackendDescriptor &w = part_of(operation, 703, kTensor);
  if (operation.get<float>(700) != 1 || operation.get<float>(701) != 0)
    fail(kNotSupportedPattern, "a fused convolution is scaled");
  use(graph, x);
  use(graph, w);
  graph.shape = shape_of_convolution(operation);
  graph.x = shape_of(x);
  graph.w = filter_of(w);
  graph.x_id = id_of(x);
  graph.w_id = id_of(w);
}

void read_addition(FusedGraph &graph, const BackendDescriptor &b) {
  TensorDescriptor shape = shape_of(b);
  use(graph, b);
  bool per_channel = shape.dims == std::vector<int64_t>{1, graph.shape.k, 1, 1};
  if (graph.relu || (per_channel ? graph.has_bias : graph.has_residual))
    fail(kNotSupportedPattern, "what is added is added twice, or after the activation");
  (per_channel ? graph.has_bias : graph.has_residual) = true;
  (per_channel ? graph.bias : graph.residual) = shape;
  (per_channel ? graph.bias_id : graph.residual_id) = id_of(b);
}

void run(const FusedGraph &g, std::map<int64_t, uint64_t> at, bool tensor_cores) {
  auto x = read_factor("graph: x", g.x, at[g.x_id], tensor_cores);
  auto w = read_factor("graph: w", as_tensor(g.w), at[g.w_id], tensor_cores);
  std::vector<float> bias, residual, y(g.shape.n * g.shape.p * g.shape.q * g.shape.k);
  if (g.has_bias) bias = read_tensor("graph: bias", g.bias, at[g.bias_id]);
  if (g.has_residual) residual = read_tensor("graph: residual", g.residual, at[g.residual_id]);
  convolve_forward(g.shape, x.data(), w.data(), y.data());
  for (size_t i = 0; i < y.size(); i++) {
    if (g.has_residual) y[i] += residual[i];
    if (g.has_bias) y[i] += bias[i % g.shape.k];
    if (g.relu && y[i] < 0) y[i] = 0;
  }
  write_tensor("graph: y", g.y, at[g.y_id], y, 1, 0);
}

}  // namespace

void require_convolution(const BackendDescriptor &operation) { shape_of_convolution(operation); }

void require_pointwise(const BackendDescriptor &operation) {
  int mode = part_of(operation, 750, kPointwise).get<int>(0);
  auto x = shape_of(part_of(operation, 751, kTensor)).dims;
  auto y = shape_of(part_of(operation, 753, kTensor)).dims;
  if (mode != kAdd && mode != kReluForward)
    fail(kNotSupportedStatus, "pointwise operation %d is not emulated", mode);
  if (x != y) fail(kBadParam, "a pointwise operation changes the shape");
  if (mode == kReluForward) return;
  if (!operation.has(752)) fail(kBadParam, "an addition has one operand");
  auto b = shape_of(part_of(operation, 752, kTensor)).dims;
  for (int i = 0; i < 4; i++) {
    if (b[i] != x[i] && b[i] != 1) fail(kBadParam, "axis %d of an addition does not repeat", i);
  }
}

FusedGraph read_graph(const BackendDescriptor &graph) {
  FusedGraph found;
  int64_t count = graph.count(801), result = 0;
  for (int64_t i = 0; i < count; i++) {
    bool first = i == 0;
    const BackendDescriptor &operation =
        part_of(graph, 801, first ? kConvolutionForward : kPointwiseOperation, i);
    if (first) {
      read_convolution(found, operation);
    } else {
      if (id_of(part_of(operation, 751, kTensor)) != result)
        fail(kNotSupportedPattern, "operation %zd does not take the one before", size_t(i));
      if (part_of(operation, 750, kPointwise).get<int>(0) == kReluForward) {
        found.relu = true;
      } else {
        read_addition(found, part_of(operation, 752, kTensor));
      }
    }
    const BackendDescriptor &y = part_of(operation, first ? 705 : 753, kTensor);
    bool last = i == count - 1;
    if (is_virtual(y) == last)
      fail(kNotSupportedPattern, "of the results all but the last must be virtual");
    result = id_of(y);
    if (!last) continue;
    use(found, y);
    found.y = shape_of(y);
    found.y_id = result;
  }
  return found;
}

std::vector<int> engines_for(const FusedGraph &graph, int heuristic) {
  bool ready = (!graph.has_bias || graph.bias.type == graph.x.type) && graph.shape.groups == 1;
  if (!ready) return {kCompiled};
  if (heuristic == kFallbackMode) return {kPlain, kStrict};
  return {kTensorCores, kPlain};
}

std::vector<int> numerical_notes(int engine) {
  if (engine == kStrict) return {9};
  return engine == kPlain ? std::vector<int>{} : std::vector<int>{0};
}

std::vector<int> behavior_notes(int engine) {
  return engine == kCompiled ? std::vector<int>{0} : std::vector<int>{};
}

size_t workspace_of(int engine) { return engine == kTensorCores ? 131 : 0; }

void execute_graph(Stream &stream, const BackendDescriptor &plan, const BackendDescriptor &pack) {
  std::map<int64_t, uint64_t> at;
  for (int64_t i = 0; i < pack.count(1000); i++)
    at[pack.get<int64_t>(1000, i)] = pack.get<uint64_t>(1001, i);
  for (auto [id, alignment] : plan.graph->alignment) {
    if (!at.count(id)) fail(kBadParam, "there is no memory for tensor %zd", size_t(id));
    if (!at[id]) fail(kNullPointer, "the address of tensor %zd is NULL", size_t(id));
    if (at[id] % alignment)
      fail(kMisalignedPointer, "tensor %zd lies at 0x%zx", size_t(id), size_t(at[id]));
  }
  uint64_t workspace = pack.get<uint64_t>(1003);
  size_t bytes = workspace_of(plan.engine);
  if (bytes && !workspace) fail(kNullPointer, "the plan needs %zu bytes of workspace", bytes);
  bool tensor_cores = plan.engine == kTensorCores;
  auto work = [graph = *plan.graph, at, workspace, bytes, tensor_cores] {
    require_range("graph: workspace", workspace, bytes);
    run(graph, at, tensor_cores);
  };
  submit(stream, {Task::kLibrary, "cudnnBackendExecute", work, nullptr, {}});
}

}  // namespace emulated
