// Convolution through oneDNN: y[b, i, j, o] = bias[o] + Σ_uvc x[b, i s − p + u d, j s − p + v d, c] w[o, u, v, c],
// its gradients by x and by w, and the forward pass with a residual sum and an activation fused.
//
// The caller makes a plan (conv_plans.cpp) and packs the filter into the plan's layout first. It keeps
// packed filters itself, because only it knows when a filter changes.

#include <algorithm>
#include <cstring>
#include <memory>

#include "conv_plans.hpp"
#include "native.hpp"
#include "program.hpp"

namespace {

using dnnl::memory;
using siamban::Layout;
using siamban::layout_at;
using siamban::Plan;
using siamban::plan_at;
using siamban::stream;

memory wrap(const memory::desc &desc, const void *data) {
  return memory(desc, siamban::engine(), const_cast<void *>(data));
}

// Memory for a filter on its way between two layouts.
float *scratch(size_t bytes) {
  thread_local std::unique_ptr<float[]> buffer;
  thread_local size_t held = 0;
  if (held < bytes) {
    buffer.reset(new float[bytes / sizeof(float) + 1]);
    held = bytes;
  }
  return buffer.get();
}

// Reverses the taps of OHWI filters.
void turn(const float *from, float *to, const Layout &layout) {
  const int64_t run = layout.channels;
#pragma omp parallel for schedule(static) if (layout.filters * layout.taps * run > siamban::kParallelFloats)
  for (int64_t o = 0; o < layout.filters; o++) {
    const float *filter = from + o * layout.taps * run;
    float *turned = to + o * layout.taps * run;
    for (int64_t t = 0; t < layout.taps; t++) {
      std::memcpy(turned + (layout.taps - 1 - t) * run, filter + t * run, run * sizeof(float));
    }
  }
}

struct PackArgs {
  const float *weight;
  float *packed;
  int64_t layout;
};

struct ForwardArgs {
  const float *x, *weight, *scale, *bias, *residual;
  float *y;
  int64_t plan;
};

// Where a plan adds a residual, it adds to what the output holds.
void copy(const float *from, float *to, int64_t bytes) {
  constexpr int64_t chunk = 1 << 18;
#pragma omp parallel for schedule(static) if (bytes > chunk)
  for (int64_t at = 0; at < bytes; at += chunk) {
    std::memcpy(reinterpret_cast<char *>(to) + at, reinterpret_cast<const char *>(from) + at,
                std::min(chunk, bytes - at));
  }
}

struct BackwardInputArgs {
  const float *dy, *weight;
  float *dx;
  int64_t plan;
};

struct BackwardWeightArgs {
  const float *dy, *x;
  float *dweight;
  int64_t plan;
};

bool shares(int64_t id) {
  const Plan &plan = plan_at(id);
  return plan.own && plan.own->shares();
}

}  // namespace

namespace siamban {

bool shares_conv2d_forward(const void *block) {
  return shares(static_cast<const ForwardArgs *>(block)->plan);
}

bool shares_conv2d_backward_input(const void *block) {
  return shares(static_cast<const BackwardInputArgs *>(block)->plan);
}

bool shares_conv2d_backward_weight(const void *block) {
  return shares(static_cast<const BackwardWeightArgs *>(block)->plan);
}

}  // namespace siamban

// Packs an OHWI filter into a plan's layout.
SIAMBAN_EXPORT int32_t siamban_conv2d_pack(const PackArgs *args) {
  return siamban::guarded([&] {
    Layout &layout = layout_at(args->layout);
    const float *weight = args->weight;
    if (layout.own) return layout.own->pack(weight, args->packed);
    if (layout.turned) {
      float *turned = scratch(layout.plain.get_size());
      turn(weight, turned, layout);
      weight = turned;
    }
    auto from = wrap(layout.plain, weight), to = wrap(layout.packed, args->packed);
    layout.pack.execute(stream(), from, to);
    stream().wait();
  });
}

SIAMBAN_EXPORT int32_t siamban_conv2d_forward(const ForwardArgs *args) {
  return siamban::guarded([&] {
    Plan &plan = plan_at(args->plan);
    if (plan.own) {
      return plan.own->run({args->x, args->weight, args->scale, args->bias, args->residual, args->y});
    }
    if (args->residual) copy(args->residual, args->y, plan.target.get_size());
    plan.primitive.execute(stream(), {{DNNL_ARG_SRC, wrap(plan.source, args->x)},
                                      {DNNL_ARG_WEIGHTS, wrap(plan.weight, args->weight)},
                                      {DNNL_ARG_BIAS, wrap(plan.bias, args->bias)},
                                      {DNNL_ARG_DST, wrap(plan.target, args->y)}});
    stream().wait();
  });
}

SIAMBAN_EXPORT int32_t siamban_conv2d_backward_input(const BackwardInputArgs *args) {
  return siamban::guarded([&] {
    Plan &plan = plan_at(args->plan);
    if (plan.own) return plan.own->run({args->dy, args->weight, nullptr, nullptr, nullptr, args->dx});
    const int from = plan.turned ? DNNL_ARG_SRC : DNNL_ARG_DIFF_DST;
    const int to = plan.turned ? DNNL_ARG_DST : DNNL_ARG_DIFF_SRC;
    plan.primitive.execute(stream(), {{from, wrap(plan.target, args->dy)},
                                      {DNNL_ARG_WEIGHTS, wrap(plan.weight, args->weight)},
                                      {to, wrap(plan.source, args->dx)}});
    stream().wait();
  });
}

SIAMBAN_EXPORT int32_t siamban_conv2d_backward_weight(const BackwardWeightArgs *args) {
  return siamban::guarded([&] {
    Plan &plan = plan_at(args->plan);
    if (plan.own) return plan.own->run({args->x, args->dy, nullptr, nullptr, nullptr, args->dweight});
    Layout &layout = layout_at(plan.layout);
    const bool plain = layout.plain == layout.packed;
    float *packed = plain ? args->dweight : scratch(layout.packed.get_size());
    auto gradient = wrap(layout.packed, packed);
    plan.primitive.execute(stream(), {{DNNL_ARG_DIFF_DST, wrap(plan.target, args->dy)},
                                      {DNNL_ARG_SRC, wrap(plan.source, args->x)},
                                      {DNNL_ARG_DIFF_WEIGHTS, gradient}});
    if (!plain) {
      auto to = wrap(layout.plain, args->dweight);
      layout.unpack.execute(stream(), gradient, to);
    }
    stream().wait();
  });
}
