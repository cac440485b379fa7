#include "kernel_text.hpp"

#include <cctype>

namespace emulated {

namespace {

bool is_word(char c) { return isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// Walks over the tokens of preprocessed C++: words, string literals, single characters.
class Tokens {
 public:
  explicit Tokens(const std::string &text, size_t at = 0) : text_(text), at_(at) {}

  // The next token, empty at the end; `start` is where it begins.
  std::string next() {
    skip_blank();
    start = at_;
    if (at_ >= text_.size()) return "";
    if (is_word(text_[at_])) {
      while (at_ < text_.size() && is_word(text_[at_])) at_++;
    } else if (text_[at_] == '"' || text_[at_] == '\'') {
      skip_literal(text_[at_]);
    } else {
      at_++;
    }
    return text_.substr(start, at_ - start);
  }

  // Goes past the parenthesis that matches the one just read; gives what was inside.
  std::string inside() {
    size_t from = at_;
    for (int depth = 1; depth > 0;) {
      std::string token = next();
      if (token.empty()) break;
      if (token == "(") depth++;
      if (token == ")") depth--;
    }
    return text_.substr(from, start - from);
  }

  size_t at() const { return at_; }
  void seek(size_t at) { at_ = at; }
  size_t start = 0;

 private:
  void skip_blank() {
    while (at_ < text_.size()) {
      bool marker = text_[at_] == '#' && (at_ == 0 || text_[at_ - 1] == '\n');
      if (marker) {
        while (at_ < text_.size() && text_[at_] != '\n') at_++;
      } else if (isspace(static_cast<unsigned char>(text_[at_]))) {
        at_++;
      } else {
        return;
      }
    }
  }

  void skip_literal(char quote) {
    for (at_++; at_ < text_.size() && text_[at_] != quote; at_++) {
      if (text_[at_] == '\\') at_++;
    }
    at_++;
  }

  const std::string &text_;
  size_t at_;
};

struct Found {
  std::string name, bounds;
};

// Reads a kernel's head after the word __global__: its name stands before the parameter list.
Found read_head(Tokens tokens) {
  Found found;
  for (std::string token = tokens.next(), last; !token.empty(); token = tokens.next()) {
    if (token == "(" && (last == "__launch_bounds__" || last == "__attribute__")) {
      std::string inside = tokens.inside();
      if (last == "__launch_bounds__") found.bounds = inside;
    } else if (token == "(") {
      found.name = last;
      break;
    } else if (token == ";" || token == "{") {
      break;
    }
    last = token;
  }
  return found;
}

// `extern __shared__ [__align__(16)] T name[];` from after __shared__: gives type, name and end.
struct Dynamic {
  std::string type, name;
  size_t end;
};
Dynamic read_dynamic(Tokens tokens) {
  Dynamic dynamic{"", "", 0};
  std::string last;
  for (std::string token = tokens.next(); !token.empty() && token != "["; token = tokens.next()) {
    if (token == "(" && (last == "__align__" || last == "alignas" || last == "__attribute__")) {
      tokens.inside();
      last.clear();
      continue;
    }
    if (!last.empty()) dynamic.type += last + " ";
    last = token;
  }
  dynamic.name = last;
  while (tokens.next() != ";" && tokens.at() < tokens.start + 8) {
  }
  dynamic.end = tokens.at();
  return dynamic;
}

// Whether a function's brace is open, as opposed to those of `extern "C"` and of namespaces.
bool inside_function(const std::string &braces) { return braces.find('f') != std::string::npos; }

}  // namespace

KernelText prepare_text(const std::string &preprocessed,
                        const std::vector<std::string> &expressions) {
  std::string text, entries;
  KernelText result;
  size_t copied = 0;
  std::string braces, last, before_last;
  bool templated = false, external = false;
  Tokens tokens(preprocessed);
  for (std::string token = tokens.next(); !token.empty(); token = tokens.next()) {
    if (token == "{") {
      bool open = last[0] == '"' || last == "namespace" || before_last == "namespace";
      braces += open ? 'n' : 'f';
    }
    if (token == "}" && !braces.empty()) braces.pop_back();
    if (token == "template") templated = true;
    if (token == "__global__") {
      Found found = read_head(Tokens(preprocessed, tokens.at()));
      bool known = false;
      for (const std::string &name : result.kernels) known |= name == found.name;
      if (!templated && !found.name.empty() && !known) {
        result.kernels.push_back(found.name);
        std::string bounds = found.bounds.substr(0, found.bounds.find(','));
        entries += "emulated::KernelOf<&" + found.name + ">::describe(\"" + found.name + "\", " +
                   (bounds.empty() ? "0" : bounds) + "), ";
      }
    }
    if (token == "__shared__" && external) {
      Dynamic dynamic = read_dynamic(Tokens(preprocessed, tokens.at()));
      size_t from = preprocessed.rfind("extern", tokens.start);
      std::string memory =
          "reinterpret_cast<" + dynamic.type + "*>(emulated_self->block->dynamic_shared)";
      text += preprocessed.substr(copied, from - copied);
      // Inside a function a variable; outside, where no thread runs yet, a macro.
      text += inside_function(braces) ? dynamic.type + "*" + dynamic.name + " = " + memory + ";"
                                      : "\n#define " + dynamic.name + " (" + memory + ")\n";
      copied = dynamic.end;
      tokens.seek(copied);
    }
    if (token == ";" || token == "}" || token == "{") templated = false;
    external = token == "extern";
    before_last = last;
    last = token;
  }
  text += preprocessed.substr(copied);
  for (const std::string &expression : expressions) {
    result.kernels.push_back(expression);
    entries += "emulated::KernelOf<&" + expression + ">::describe(\"" + expression + "\", 0), ";
  }
  result.text = text + "\nEMULATED_KERNELS(" + entries + ")\n";
  return result;
}

}  // namespace emulated
