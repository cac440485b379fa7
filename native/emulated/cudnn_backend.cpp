// cuDNN's graph API: descriptors. A real one does not say which attribute is missing, or ends the
// process where a descriptor is of the wrong kind; here both are refused by name.
#include "cudnn_backend.hpp"

#include <cstring>

using namespace emulated;

namespace emulated {

Registry<BackendDescriptor> &backend_descriptors() {
  static Registry<BackendDescriptor> registry("backend descriptor", kBadParam);
  return registry;
}

const BackendDescriptor &part_of(const BackendDescriptor &whole, int attribute, int kind,
                                 int64_t index) {
  const BackendDescriptor &part = backend_descriptors().at(whole.get<void *>(attribute, index));
  if (part.kind != kind) {
    fail(kWrongDescriptor, "attribute %d is a descriptor of kind %d, expected %d", attribute,
         part.kind, kind);
  }
  if (!part.finalized)
    fail(kBadParam, "the descriptor in attribute %d is not finalized", attribute);
  return part;
}

}  // namespace emulated

namespace {

enum ValueType : int { kHandle = 0, kBoolean = 2, kInt64 = 3, kPointer = 6, kDescriptor = 15 };
constexpr int64_t kMostAxes = 8, kMany = 64;

size_t bytes_of_type(int type) {
  switch (type) {
    case kBoolean:
      return 1;
    case kHandle:
    case kInt64:
    case 5:  // double
    case kPointer:
    case kDescriptor:
      return 8;
    default:
      return 4;
  }
}

// An attribute of a kind of descriptors: how many values of which type, and whether it must be set.
struct Rule {
  int kind, attribute, type;
  int64_t most;
  enum { kRequired, kOptional, kReadOnly } use;
};

constexpr Rule kRules[] = {
    {kPointwise, 0, 14, 1, Rule::kRequired},
    {kPointwise, 1, 1, 1, Rule::kRequired},
    {kConvolution, 100, 1, 1, Rule::kRequired},
    {kConvolution, 101, 7, 1, Rule::kRequired},
    {kConvolution, 102, kInt64, kMostAxes, Rule::kRequired},
    {kConvolution, 103, kInt64, kMostAxes, Rule::kRequired},
    {kConvolution, 104, kInt64, kMostAxes, Rule::kRequired},
    {kConvolution, 105, kInt64, kMostAxes, Rule::kRequired},
    {kConvolution, 106, kInt64, 1, Rule::kRequired},
    {kEngine, 1303, 11, kMany, Rule::kReadOnly},
    {kEngine, 1305, 19, kMany, Rule::kReadOnly},
    {kEngineConfig, 300, kDescriptor, 1, Rule::kReadOnly},
    {kHeuristics, 200, 8, 1, Rule::kRequired},
    {kHeuristics, 201, kDescriptor, 1, Rule::kRequired},
    {kHeuristics, 202, kDescriptor, kMany, Rule::kReadOnly},
    {kPlan, 400, kHandle, 1, Rule::kRequired},
    {kPlan, 401, kDescriptor, 1, Rule::kRequired},
    {kPlan, 402, kInt64, 1, Rule::kReadOnly},
    {kConvolutionForward, 700, 4, 1, Rule::kRequired},
    {kConvolutionForward, 701, 4, 1, Rule::kRequired},
    {kConvolutionForward, 702, kDescriptor, 1, Rule::kRequired},
    {kConvolutionForward, 703, kDescriptor, 1, Rule::kRequired},
    {kConvolutionForward, 704, kDescriptor, 1, Rule::kRequired},
    {kConvolutionForward, 705, kDescriptor, 1, Rule::kRequired},
    {kPointwiseOperation, 750, kDescriptor, 1, Rule::kRequired},
    {kPointwiseOperation, 751, kDescriptor, 1, Rule::kRequired},
    {kPointwiseOperation, 752, kDescriptor, 1, Rule::kOptional},
    {kPointwiseOperation, 753, kDescriptor, 1, Rule::kRequired},
    {kGraph, 800, kHandle, 1, Rule::kRequired},
    {kGraph, 801, kDescriptor, kMany, Rule::kRequired},
    {kVariantPack, 1000, kInt64, kMany, Rule::kRequired},
    {kVariantPack, 1001, kPointer, kMany, Rule::kRequired},
    {kVariantPack, 1003, kPointer, 1, Rule::kRequired},
    {kTensor, 900, kInt64, 1, Rule::kRequired},
    {kTensor, 901, 1, 1, Rule::kRequired},
    {kTensor, 902, kInt64, kMostAxes, Rule::kRequired},
    {kTensor, 903, kInt64, kMostAxes, Rule::kRequired},
    {kTensor, 906, kInt64, 1, Rule::kRequired},
    {kTensor, 907, kBoolean, 1, Rule::kOptional},
};

const Rule &rule_for(const BackendDescriptor &descriptor, int attribute, int type) {
  for (const Rule &rule : kRules) {
    if (rule.kind != descriptor.kind || rule.attribute != attribute) continue;
    if (rule.type == type) return rule;
    fail(kWrongType, "attribute %d has type %d, expected %d", attribute, type, rule.type);
  }
  fail(kBadParam, "a descriptor of kind %d has no attribute %d", descriptor.kind, attribute);
}

void require_tensor(const BackendDescriptor &tensor) {
  if (tensor.count(902) != 4 || tensor.count(903) != 4) {
    fail(kBadParam, "a tensor has %zd sizes and %zd strides, expected four",
         size_t(tensor.count(902)), size_t(tensor.count(903)));
  }
  for (int i = 0; i < 4; i++) {
    if (tensor.get<int64_t>(902, i) <= 0 || tensor.get<int64_t>(903, i) <= 0)
      fail(kBadParam, "size or stride %d of a tensor is not positive", i);
  }
  int type = tensor.get<int>(901);
  if (!is_float_type(type)) fail(kNotSupportedStatus, "data type %d is not emulated", type);
  int64_t alignment = tensor.get<int64_t>(900);
  if (alignment <= 0 || alignment % int64_t(bytes_of(type)))
    fail(kBadParam, "alignment %zd is no multiple of the element's size", size_t(alignment));
}

void require_geometry(const BackendDescriptor &convolution) {
  int64_t axes = convolution.get<int64_t>(106);
  for (int attribute : {102, 103, 104, 105}) {
    if (convolution.count(attribute) != axes)
      fail(kBadParam, "attribute %d has not %zd values", attribute, size_t(axes));
  }
}

void require_pack(const BackendDescriptor &pack) {
  if (pack.count(1000) != pack.count(1001)) {
    fail(kBadParam, "%zd ids and %zd addresses", size_t(pack.count(1000)),
         size_t(pack.count(1001)));
  }
}

void finish_plan(BackendDescriptor &plan) {
  cudnn_handles().at(plan.get<void *>(400));
  const BackendDescriptor &config = part_of(plan, 401, kEngineConfig);
  plan.graph = config.graph;
  plan.engine = config.engine;
}

void finalize(BackendDescriptor &descriptor) {
  if (descriptor.finalized) fail(kBadParam, "the descriptor is finalized already");
  for (const Rule &rule : kRules) {
    if (rule.kind != descriptor.kind || rule.use != Rule::kRequired) continue;
    if (descriptor.has(rule.attribute)) continue;
    fail(kBadParam, "attribute %d of a descriptor of kind %d is not set", rule.attribute,
         rule.kind);
  }
  switch (descriptor.kind) {
    case kTensor:
      require_tensor(descriptor);
      break;
    case kConvolution:
      require_geometry(descriptor);
      break;
    case kConvolutionForward:
      require_convolution(descriptor);
      break;
    case kPointwiseOperation:
      require_pointwise(descriptor);
      break;
    case kVariantPack:
      require_pack(descriptor);
      break;
    case kGraph:
      cudnn_handles().at(descriptor.get<void *>(800));
      descriptor.graph = std::make_shared<FusedGraph>(read_graph(descriptor));
      break;
    case kHeuristics:
      descriptor.graph = part_of(descriptor, 201, kGraph).graph;
      break;
    case kPlan:
      finish_plan(descriptor);
      break;
  }
  descriptor.finalized = true;
}

void set(BackendDescriptor &descriptor, int attribute, int type, int64_t count,
         const void *values) {
  if (descriptor.finalized) fail(kBadParam, "attribute %d is set after finalizing", attribute);
  const Rule &rule = rule_for(descriptor, attribute, type);
  if (rule.use == Rule::kReadOnly) fail(kBadParam, "attribute %d can only be read", attribute);
  if (!values) fail(kNullPointer, "the values of attribute %d are NULL", attribute);
  if (count < 1 || count > rule.most) {
    fail(kBadParam, "attribute %d has %zd values, expected 1 to %zd", attribute, size_t(count),
         size_t(rule.most));
  }
  auto *bytes = static_cast<const char *>(values);
  descriptor.values[attribute] = {count, {bytes, bytes + count * bytes_of_type(type)}};
}

// Fills descriptors that the caller has made: engines of a graph, or the engine of a configuration.
int64_t fill_parts(const BackendDescriptor &whole, const std::vector<int> &engines, int64_t wanted,
                   void **parts) {
  int64_t count = std::min<int64_t>(wanted, engines.size());
  for (int64_t i = 0; i < count; i++) {
    BackendDescriptor &part = backend_descriptors().at(parts[i]);
    if (part.kind != (whole.kind == kHeuristics ? kEngineConfig : kEngine))
      fail(kWrongDescriptor, "a descriptor of kind %d is given for results", part.kind);
    part.engine = engines[i];
    part.graph = whole.graph;
    part.finalized = true;
  }
  return count;
}

template <typename T>
int64_t fill(const std::vector<T> &found, int64_t wanted, void *out) {
  int64_t count = std::min<int64_t>(wanted, found.size());
  if (count) memcpy(out, found.data(), count * sizeof(T));
  return count;
}

int64_t get(const BackendDescriptor &descriptor, int attribute, int type, int64_t wanted,
            void *out) {
  if (!descriptor.finalized)
    fail(kNotFinalized, "attribute %d is read before finalizing", attribute);
  rule_for(descriptor, attribute, type);
  if (wanted && !out) fail(kNullPointer, "there is no place for attribute %d", attribute);
  switch (attribute) {
    case 202: {
      auto engines = engines_for(*descriptor.graph, descriptor.get<int>(200));
      // A real one counts those that it cannot use after all as well.
      if (!wanted) return engines.size() + 2;
      return fill_parts(descriptor, engines, wanted, static_cast<void **>(out));
    }
    case 300:
      // That a real one counts what is no list is written nowhere.
      if (wanted != 1) fail(kBadParam, "a configuration has one engine, not %zd", size_t(wanted));
      return fill_parts(descriptor, {descriptor.engine}, wanted, static_cast<void **>(out));
    case 402:
      return fill<int64_t>({int64_t(workspace_of(descriptor.engine))}, wanted, out);
    case 1303:
      return fill(numerical_notes(descriptor.engine), wanted, out);
    case 1305:
      return fill(behavior_notes(descriptor.engine), wanted, out);
  }
  fail(kNotSupportedStatus, "reading attribute %d is not emulated", attribute);
}

}  // namespace

EMULATED_API int cudnnBackendCreateDescriptor(int kind, void **out) {
  return cudnn_call([&] {
    bool known = false;
    for (const Rule &rule : kRules) known |= rule.kind == kind;
    if (!known) fail(kNotSupportedStatus, "descriptors of kind %d are not emulated", kind);
    auto descriptor = std::make_unique<BackendDescriptor>();
    descriptor->kind = kind;
    *out = backend_descriptors().add(std::move(descriptor));
  });
}
EMULATED_API int cudnnBackendDestroyDescriptor(void *descriptor) {
  return cudnn_call([&] { backend_descriptors().remove(descriptor); });
}
EMULATED_API int cudnnBackendSetAttribute(void *descriptor, int attribute, int type, int64_t count,
                                          const void *values) {
  return cudnn_call(
      [&] { set(backend_descriptors().at(descriptor), attribute, type, count, values); });
}
EMULATED_API int cudnnBackendGetAttribute(void *descriptor, int attribute, int type, int64_t wanted,
                                          int64_t *given, void *out) {
  return cudnn_call([&] {
    int64_t count = get(backend_descriptors().at(descriptor), attribute, type, wanted, out);
    if (given) *given = count;
  });
}
EMULATED_API int cudnnBackendFinalize(void *descriptor) {
  return cudnn_call([&] { finalize(backend_descriptors().at(descriptor)); });
}
EMULATED_API int cudnnBackendExecute(void *handle, void *plan, void *pack) {
  return cudnn_call([&] {
    const BackendDescriptor &made = backend_descriptors().at(plan);
    const BackendDescriptor &memory = backend_descriptors().at(pack);
    if (made.kind != kPlan || memory.kind != kVariantPack)
      fail(kWrongDescriptor, "descriptors of kinds %d and %d are executed", made.kind, memory.kind);
    if (!made.finalized || !memory.finalized)
      fail(kNotFinalized, "plan or memory is not finalized");
    execute_graph(stream_of(cudnn_handles().at(handle)), made, memory);
  });
}
