// Stands in for libFuzzer where there is none: `replay FILE` gives each line of a corpus (hexadecimal; '#' begins a
// comment) to the target, whole and cut short.
#include "fuzz.hpp"

#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace {

std::vector<std::uint8_t> parse(const std::string& line) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < line.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(line.substr(i, 2), nullptr, 16)));
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: " << argv[0] << " CORPUS.hex\n";
    return 2;
  }
  std::ifstream corpus(argv[1]);
  std::size_t inputs = 0;
  for (std::string line; std::getline(corpus, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::vector<std::uint8_t> input = parse(line);
    const std::size_t step = input.size() / 256 + 1;  // of long ones, not every size
    for (std::size_t size = input.size() % step; size <= input.size(); size += step) {
      // A heap block of just that size, so that AddressSanitizer sees each step too far.
      const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[size]);
      std::copy_n(input.data(), size, exact.get());
      LLVMFuzzerTestOneInput(exact.get(), size);
    }
    ++inputs;
  }
  std::cout << inputs << " inputs\n";
  return inputs == 0 ? 1 : 0;  // an empty corpus proves nothing
}
