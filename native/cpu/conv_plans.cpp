// Plans of convolutions: finds or makes the oneDNN primitive for one shape.
//
// Activations stay in NHWC. Filters come as OHWI and are packed into whatever layout the chosen
// kernel wants; a plain layout would often drop to a slow kernel. Plans are kept by shape for ever:
// a program uses few shapes, and making a plan compiles code.

#include "conv_plans.hpp"

#include <omp.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "native.hpp"

namespace {

using dnnl::memory;
using siamban::ConvShape;
using siamban::kBackwardInput;
using siamban::kForward;
using siamban::Layout;
using siamban::OwnConvolution;
using siamban::Plan;

struct PlanArgs {
  int64_t *info;  // out: plan's address, layout, floats of a packed filter (0: OHWI as it is), whether it
                  // takes factors of the outputs
  siamban::ConvShape shape;
};

// The numbers of a shape, and the threads that a plan divides its work among.
constexpr int64_t kPlanNumbers = sizeof(ConvShape) / sizeof(int64_t);
using PlanKey = std::array<int64_t, kPlanNumbers + 1>;

// oneDNN takes what the processor has when it runs. Where this library was compiled for less, so that each
// level can be tried on one machine, oneDNN is told; it refuses if this process has used it before.
dnnl::engine make_engine() {
#if defined(SIAMBAN_CPU_CHOSEN) && defined(__x86_64__)
#if defined(__AVX512F__)
  dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx512_core);
#elif defined(__AVX2__)
  dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2);
#else
  dnnl::set_max_cpu_isa(dnnl::cpu_isa::sse41);
#endif
#endif
  return dnnl::engine(dnnl::engine::kind::cpu, 0);
}

// A workplace for each thread that calls: oneDNN's scratch memory belongs to the thread that makes a
// primitive, so none may run on another; what this library computes itself may.
struct Registry {
  dnnl::engine engine = make_engine();
  dnnl::stream stream{engine};
  std::map<PlanKey, std::unique_ptr<Plan>> plans;
  std::vector<std::unique_ptr<Layout>> layouts;
};

Registry &registry() {
  thread_local Registry instance;
  return instance;
}

// oneDNN wants the groups of a grouped filter as a dimension of their own; the memory is the same.
memory::desc filter_desc(const ConvShape &args, bool plain) {
  memory::dims dims = {args.out_channels, args.channels / args.groups, args.kernel_height,
                       args.kernel_width};
  auto tag = plain ? memory::format_tag::ohwi : memory::format_tag::any;
  if (args.groups > 1) {
    dims[0] /= args.groups;
    dims.insert(dims.begin(), args.groups);
    if (plain) tag = memory::format_tag::gohwi;
  }
  return memory::desc(dims, memory::data_type::f32, tag);
}

memory::desc image_desc(int64_t batch, int64_t channels, int64_t height, int64_t width) {
  return memory::desc({batch, channels, height, width}, memory::data_type::f32,
                      memory::format_tag::nhwc);
}

dnnl::primitive_attr fused_after(const ConvShape &args) {
  dnnl::post_ops ops;
  if (args.residual) ops.append_sum(1.f);
#if DNNL_VERSION_MAJOR >= 3
  if (args.activation == siamban::kRelu) ops.append_eltwise(dnnl::algorithm::eltwise_relu, 0, 0);
  if (args.activation == siamban::kRelu6) ops.append_eltwise(dnnl::algorithm::eltwise_clip, 0, 6);
  if (args.activation == siamban::kHardSwish) {
    ops.append_eltwise(dnnl::algorithm::eltwise_hardswish, 1.f / 6, .5f);
  }
#else
  if (args.activation == siamban::kRelu) {
    ops.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
  }
  if (args.activation == siamban::kRelu6) {
    ops.append_eltwise(1, dnnl::algorithm::eltwise_clip, 0, 6);
  }
  if (args.activation == siamban::kHardSwish) {
    ops.append_eltwise(1, dnnl::algorithm::eltwise_hardswish, 0, 0);
  }
#endif
  dnnl::primitive_attr attr;
  attr.set_post_ops(ops);
  return attr;
}

// Version 3 of oneDNN builds primitive descriptors directly, version 2 from operation descriptors.
#if DNNL_VERSION_MAJOR >= 3
template <typename Primitive, typename... Descs>
typename Primitive::primitive_desc describe(const dnnl::primitive_attr &attr, Descs... descs) {
  return typename Primitive::primitive_desc(registry().engine, descs..., attr);
}
template <typename Primitive, typename Hint, typename... Descs>
typename Primitive::primitive_desc describe_gradient(const Hint &hint, Descs... descs) {
  return typename Primitive::primitive_desc(registry().engine, descs..., hint);
}
#else
template <typename Primitive, typename... Descs>
typename Primitive::primitive_desc describe(const dnnl::primitive_attr &attr, Descs... descs) {
  return typename Primitive::primitive_desc(typename Primitive::desc(descs...), attr,
                                            registry().engine);
}
template <typename Primitive, typename Hint, typename... Descs>
typename Primitive::primitive_desc describe_gradient(const Hint &hint, Descs... descs) {
  return typename Primitive::primitive_desc(typename Primitive::desc(descs...), registry().engine,
                                            hint);
}
#endif

int64_t intern_layout(Registry &all, const ConvShape &args, const memory::desc &plain,
                      const memory::desc &packed, bool turned) {
  for (size_t i = 0; i < all.layouts.size(); i++) {
    const Layout &known = *all.layouts[i];
    if (known.plain == plain && known.packed == packed && known.turned == turned) return i;
  }
  memory from(plain, all.engine, nullptr), to(packed, all.engine, nullptr);
  all.layouts.push_back(std::make_unique<Layout>(
      Layout{plain, packed, turned, args.out_channels, args.kernel_height * args.kernel_width,
             args.channels / args.groups, dnnl::reorder(from, to), dnnl::reorder(to, from), nullptr, ""}));
  return all.layouts.size() - 1;
}

// The gradient by x of a convolution with stride 1 is dy convolved with the filters turned by 180
// degrees, inputs and outputs swapped. oneDNN's forward kernels are faster than its backward ones.
bool can_turn(const ConvShape &args) {
  const int64_t reach = args.dilation * (std::min(args.kernel_height, args.kernel_width) - 1);
  return args.direction == kBackwardInput && args.stride == 1 && args.groups == 1 &&
         args.padding <= reach;
}

std::unique_ptr<Plan> make_turned(Registry &all, const ConvShape &args) {
  const auto source = image_desc(args.batch, args.out_channels, args.out_height, args.out_width);
  const auto target = image_desc(args.batch, args.channels, args.height, args.width);
  const memory::dims dims = {args.channels, args.out_channels, args.kernel_height,
                             args.kernel_width};
  const auto kind = memory::data_type::f32;
  const memory::desc weight(dims, kind, memory::format_tag::any);
  // OHWI memory seen with I before O.
  const memory::desc plain(dims, kind, memory::format_tag::ihwo);
  const memory::dims dilation = {args.dilation - 1, args.dilation - 1};
  const memory::dims padding = {args.dilation * (args.kernel_height - 1) - args.padding,
                                args.dilation * (args.kernel_width - 1) - args.padding};
  const auto desc = describe<dnnl::convolution_forward>(
      dnnl::primitive_attr(), dnnl::prop_kind::forward_inference,
      dnnl::algorithm::convolution_direct, source, weight, memory::desc(), target,
      memory::dims{1, 1}, dilation, padding, padding);
  return std::make_unique<Plan>(
      Plan{dnnl::convolution_forward(desc), target, source, desc.weights_desc(), memory::desc(),
           intern_layout(all, args, plain, desc.weights_desc(), args.kernel_height * args.kernel_width > 1),
           true, nullptr});
}

int64_t intern_own_layout(Registry &all, const std::shared_ptr<OwnConvolution> &own) {
  const std::string name = own->layout();
  for (size_t i = 0; i < all.layouts.size(); i++) {
    if (all.layouts[i]->own && all.layouts[i]->name == name) return i;
  }
  all.layouts.push_back(std::make_unique<Layout>());
  all.layouts.back()->own = own;
  all.layouts.back()->name = name;
  return all.layouts.size() - 1;
}

// Own kernels trust the shape; oneDNN would look for itself.
void check_output(int64_t found, int64_t size, int64_t kernel, const ConvShape &args) {
  const int64_t wanted = (size + 2 * args.padding - args.dilation * (kernel - 1) - 1) / args.stride + 1;
  if (found == wanted) return;
  throw std::invalid_argument("the output has " + std::to_string(found) + " rows or columns where " +
                              std::to_string(wanted) + " are right");
}

std::unique_ptr<Plan> make_plan(Registry &all, const ConvShape &args) {
  check_output(args.out_height, args.height, args.kernel_height, args);
  check_output(args.out_width, args.width, args.kernel_width, args);
  if (std::shared_ptr<OwnConvolution> own = siamban::make_own_convolution(args)) {
    auto plan = std::make_unique<Plan>();
    plan->own = own;
    plan->layout = intern_own_layout(all, own);
    return plan;
  }
  if (can_turn(args)) return make_turned(all, args);
  constexpr auto algorithm = dnnl::algorithm::convolution_direct;
  const auto source = image_desc(args.batch, args.channels, args.height, args.width);
  const auto target = image_desc(args.batch, args.out_channels, args.out_height, args.out_width);
  const auto weight = filter_desc(args, false);
  const auto bias =
      args.bias ? memory::desc({args.out_channels}, memory::data_type::f32, memory::format_tag::x)
                : memory::desc();
  const memory::dims strides = {args.stride, args.stride}, padding = {args.padding, args.padding};
  // oneDNN counts the gaps between taps: 0 is dense.
  const memory::dims dilation = {args.dilation - 1, args.dilation - 1};

  auto plan = std::make_unique<Plan>();
  plan->turned = false;
  plan->source = source;
  plan->target = target;
  plan->bias = bias;
  auto finish = [&](auto primitive, const auto &desc, const memory::desc &packed) {
    plan->weight = packed;
    plan->layout = intern_layout(all, args, filter_desc(args, true), packed, false);
    plan->primitive = decltype(primitive)(desc);
  };
  const auto kind = args.direction == kForward && !args.bias && !args.residual && !args.activation
                        ? dnnl::prop_kind::forward_training
                        : dnnl::prop_kind::forward_inference;
  const auto forward = describe<dnnl::convolution_forward>(
      args.direction == kForward ? fused_after(args) : dnnl::primitive_attr(), kind, algorithm,
      source, weight, bias, target, strides, dilation, padding, padding);
  if (args.direction == kForward) {
    finish(dnnl::convolution_forward(), forward, forward.weights_desc());
  } else if (args.direction == kBackwardInput) {
    const auto desc = describe_gradient<dnnl::convolution_backward_data>(
        forward, algorithm, source, weight, target, strides, dilation, padding, padding);
    finish(dnnl::convolution_backward_data(), desc, desc.weights_desc());
  } else {
    const auto desc = describe_gradient<dnnl::convolution_backward_weights>(
        forward, algorithm, source, weight, target, strides, dilation, padding, padding);
    finish(dnnl::convolution_backward_weights(), desc, desc.diff_weights_desc());
  }
  return plan;
}

}  // namespace

namespace siamban {

Plan &plan_at(int64_t address) { return *reinterpret_cast<Plan *>(address); }

Layout &layout_at(int64_t index) { return *registry().layouts.at(index); }

dnnl::engine &engine() { return registry().engine; }

dnnl::stream &stream() { return registry().stream; }

}  // namespace siamban

// Finds or makes the plan for one shape.
SIAMBAN_EXPORT int32_t siamban_conv2d_plan(const PlanArgs *args) {
  return siamban::guarded([&] {
    Registry &all = registry();
    PlanKey key;
    std::copy_n(&args->shape.direction, kPlanNumbers, key.begin());
    key.back() = omp_get_max_threads();
    std::unique_ptr<Plan> &plan_of_key = all.plans[key];
    if (!plan_of_key) plan_of_key = make_plan(all, args->shape);
    const Plan &plan = *plan_of_key;
    const Layout &layout = *all.layouts[plan.layout];
    args->info[0] = reinterpret_cast<int64_t>(&plan);
    args->info[1] = plan.layout;
    args->info[2] = layout.own ? layout.own->packed_floats() :
        layout.plain == layout.packed && !layout.turned ? 0 : layout.packed.get_size() / sizeof(float);
    args->info[3] = plan.own && plan.own->scales();
  });
}
