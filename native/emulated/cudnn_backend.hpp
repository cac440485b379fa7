// cuDNN's graph API: descriptors of attributes, and what those of operations mean together.
#pragma once

#include <map>
#include <memory>

#include "cudnn.hpp"

namespace emulated {

// cudnnBackendDescriptorType_t.
enum DescriptorKind : int {
  kPointwise = 0,
  kConvolution = 1,
  kEngine = 2,
  kEngineConfig = 3,
  kHeuristics = 4,
  kPlan = 5,
  kConvolutionForward = 10,
  kPointwiseOperation = 13,
  kGraph = 15,
  kVariantPack = 16,
  kTensor = 17,
};

// What a graph of a convolution and its tail computes, and under which ids it finds its tensors.
struct FusedGraph {
  TensorDescriptor x, y, bias, residual;
  FilterDescriptor w;
  ConvolutionShape shape;
  int64_t x_id = 0, w_id = 0, y_id = 0, bias_id = 0, residual_id = 0;
  std::map<int64_t, int64_t> alignment;  // by id
  bool has_bias = false, has_residual = false, relu = false;
};

struct BackendDescriptor {
  int kind;
  bool finalized = false;
  struct Values {
    int64_t count;
    std::vector<char> bytes;
  };
  std::map<int, Values> values;        // by attribute
  std::shared_ptr<FusedGraph> graph;   // of a graph, and of what is made from it
  int engine = -1;                     // of an engine, its configuration and its plan

  bool has(int attribute) const { return values.count(attribute) > 0; }
  int64_t count(int attribute) const { return has(attribute) ? values.at(attribute).count : 0; }
  // The attribute's element; it must be there.
  template <typename T>
  T get(int attribute, int64_t index = 0) const {
    return reinterpret_cast<const T *>(values.at(attribute).bytes.data())[index];
  }
};

Registry<BackendDescriptor> &backend_descriptors();
// A finalized descriptor of a kind that an attribute names. Throws Failure{kBadParam}.
const BackendDescriptor &part_of(const BackendDescriptor &whole, int attribute, int kind,
                                 int64_t index = 0);

// Checks an operation by itself. Throws Failure{kBadParam}.
void require_convolution(const BackendDescriptor &operation);
void require_pointwise(const BackendDescriptor &operation);
// Throws Failure{kNotSupportedPattern} for what is no convolution with a tail.
FusedGraph read_graph(const BackendDescriptor &graph);

// Engines, best first, and what they say of themselves.
std::vector<int> engines_for(const FusedGraph &graph, int heuristic);
std::vector<int> numerical_notes(int engine);
std::vector<int> behavior_notes(int engine);
size_t workspace_of(int engine);
void execute_graph(Stream &stream, const BackendDescriptor &plan, const BackendDescriptor &pack);

}  // namespace emulated
