// Driver API: stream capture and graphs.
#include <cstring>

#include "device.hpp"
#include "driver_call.hpp"
#include "graph.hpp"
#include "progress.hpp"

using namespace emulated;

namespace {

Registry<Graph> graphs("graph", kInvalidValue);
Registry<GraphExec> execs("executable graph", kInvalidValue);

// CUgraphExecUpdateResultInfo.
struct UpdateInfo {
  int result;
  void *error_node, *error_from_node;
};
static_assert(sizeof(UpdateInfo) == 24, "cuda.h");

std::shared_ptr<const std::vector<Task>> copy_of(const Graph &graph) {
  return std::make_shared<const std::vector<Task>>(graph.tasks);
}

}  // namespace

EMULATED_API int cuStreamBeginCapture_v2(uint64_t stream, int mode) {
  return driver_call([&] { begin_capture(stream_at(stream), mode); });
}

EMULATED_API int cuStreamEndCapture(uint64_t stream, void **graph) {
  return driver_call([&] {
    *graph = nullptr;
    *graph = graphs.add(end_capture(stream_at(stream)));
  });
}

EMULATED_API int cuStreamIsCapturing(uint64_t stream, int *status) {
  return driver_call([&] {
    Stream &found = stream_at(stream);
    *status = found.capture ? (found.capture->invalid ? 2 : 1) : 0;
  });
}

EMULATED_API int cuGraphGetNodes(void *graph, void **nodes, size_t *count) {
  return driver_call([&] {
    Graph &found = graphs.at(graph);
    for (size_t i = 0; nodes && i < *count && i < found.tasks.size(); i++)
      nodes[i] = &found.tasks[i];
    *count = found.tasks.size();
  });
}

EMULATED_API int cuGraphInstantiateWithFlags(void **exec, void *graph, uint64_t) {
  return driver_call([&] {
    current_device();
    *exec = execs.add(std::make_unique<GraphExec>(GraphExec{copy_of(graphs.at(graph))}));
  });
}

EMULATED_API int cuGraphUpload(void *exec, uint64_t) {
  return driver_call([&] { execs.at(exec); });
}

EMULATED_API int cuGraphLaunch(void *exec, uint64_t stream) {
  return driver_call([&] {
    auto tasks = execs.at(exec).tasks;
    Stream &found = stream_at(stream);
    submit(found, {Task::kLibrary,
                   "graph",
                   [tasks] {
                     for (const Task &task : *tasks) task.run();
                   },
                   nullptr,
                   {}});
    bool collective = false;
    for (const Task &task : *tasks) collective |= task.name.rfind("nccl", 0) == 0;
    if (collective) ensure_progress(found);
  });
}

EMULATED_API int cuGraphExecUpdate_v2(void *exec, void *graph, UpdateInfo *info) {
  return driver_call([&] {
    GraphExec &old = execs.at(exec);
    Graph &fresh = graphs.at(graph);
    int result = update_result(old, fresh);
    if (info) *info = {result, nullptr, nullptr};
    if (result) fail(kExecUpdateFailure, "the new graph differs (reason %d)", result);
    old.tasks = copy_of(fresh);
  });
}

EMULATED_API int cuGraphExecDestroy(void *exec) {
  return driver_call([&] { execs.remove(exec); });
}

EMULATED_API int cuGraphDestroy(void *graph) {
  return driver_call([&] { graphs.remove(graph); });
}
