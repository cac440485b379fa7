// Which calls all threads of a region may make together, see team.hpp: those that always share their work
// are listed in program.cpp, and of these each call says so by its arguments.
#pragma once

namespace siamban {

bool shares_conv2d_forward(const void *block);
bool shares_conv2d_backward_input(const void *block);
bool shares_conv2d_backward_weight(const void *block);
bool shares_xcorr_depthwise(const void *block);

}  // namespace siamban
