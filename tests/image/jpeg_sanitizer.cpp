// Feeds mutated JPEG files to the decoder of training pictures; compiled with AddressSanitizer.
// Usage: jpeg_sanitizer RUNS SEED FILE...
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

#include "../../native/image/native.hpp"

using siamban::Look;
struct Session;
extern "C" {
Session *siamban_image_create();
void siamban_image_destroy(Session *);
int32_t siamban_image_header(Session *, const uint8_t *, uint32_t, int32_t *);
int32_t siamban_image_decode(Session *, const Look *);
void siamban_image_render(Session *, const Look *, float *);
}

static uint64_t state;
static uint32_t below(uint32_t n) {  // xorshift64
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return static_cast<uint32_t>(state >> 32) % n;
}

int main(int count, char **words) {
  std::vector<std::vector<uint8_t>> corpus;
  for (int i = 3; i < count; i++) {
    std::ifstream file(words[i], std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  state = 0x9e3779b97f4a7c15u ^ strtoull(words[2], nullptr, 10);
  int decoded = 0, runs = atoi(words[1]);
  Session *session = siamban_image_create();
  std::vector<float> out(3 * 31 * 31);
  for (int run = 0; run < runs; run++) {
    std::vector<uint8_t> bytes = corpus[below(corpus.size())];
    for (uint32_t i = below(6); i > 0; i--) {
      uint32_t reach = below(2) ? bytes.size() : (bytes.size() < 700 ? bytes.size() : 700);
      bytes[below(reach)] = below(3) ? below(256) : 0xff;
    }
    if (below(4) == 0) bytes.resize(1 + below(bytes.size()));
    // An allocation of its own, so that one byte too far is found.
    std::unique_ptr<uint8_t[]> file(new uint8_t[bytes.size()]);
    memcpy(file.get(), bytes.data(), bytes.size());
    int32_t size[2];
    if (siamban_image_header(session, file.get(), bytes.size(), size) != 0) continue;
    if (static_cast<int64_t>(size[0]) * size[1] > 1 << 22) continue;
    Look look{};
    look.x1 = static_cast<double>(below(size[0] + 40)) - 20, look.y1 = static_cast<double>(below(size[1] + 40)) - 20;
    look.x2 = look.x1 + 1 + below(size[0] + 20), look.y2 = look.y1 + 1 + below(size[1] + 20);
    look.size = 31, look.gray = below(2), look.flip = below(2);
    if (siamban_image_decode(session, &look) != 0) continue;
    siamban_image_render(session, &look, out.data());
    decoded++;
  }
  siamban_image_destroy(session);
  printf("%d files, %d decoded\n", runs, decoded);
}
