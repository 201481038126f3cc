#include "support/processes.hpp"

#include <dirent.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

namespace tandem::test {
namespace {

constexpr const char* family_variable = "TANDEM_TEST_FAMILY";

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  DIR* stream = opendir(directory.c_str());
  if (stream == nullptr) return names;
  while (const dirent* entry = readdir(stream)) names.emplace_back(entry->d_name);
  closedir(stream);
  return names;
}

bool is_number(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

std::string without_newline(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

bool read_process(int pid, process_info& info) {
  const std::string directory = "/proc/" + std::to_string(pid);
  const std::string stat = slurp(directory + "/stat");
  const auto name_begin = stat.find('(');
  const auto name_end = stat.rfind(')');  // the name itself may hold parentheses
  if (name_begin == std::string::npos || name_end == std::string::npos) return false;
  info.pid = pid;
  std::istringstream rest(stat.substr(name_end + 1));
  rest >> info.state >> info.parent;
  info.command = slurp(directory + "/cmdline");
  std::replace(info.command.begin(), info.command.end(), '\0', ' ');
  if (info.command.empty()) info.command = "[" + stat.substr(name_begin + 1, name_end - name_begin - 1) + "]";
  return true;
}

enum class environment { absent, empty, not_yet_there, there };

// Why /proc/<pid>/environ reads as empty. A process in the midst of exec already has its new memory, but not yet
// the strings in it, for as long as the program's file is being read.
environment environment_of(int pid) {
  const std::string directory = "/proc/" + std::to_string(pid);
  char target[1];
  if (readlink((directory + "/exe").c_str(), target, sizeof target) < 0) return environment::absent;
  const std::string stat = slurp(directory + "/stat");
  std::istringstream rest(stat.substr(std::min(stat.rfind(')') + 1, stat.size())));
  // proc(5): the state is field 3, the environment's begin and end are fields 50 and 51.
  const std::vector<std::string> fields(std::istream_iterator<std::string>{rest}, {});
  if (fields.size() < 49 || fields[0] == "Z" || fields[0] == "X") return environment::absent;
  if (fields[48] == "0") return environment::not_yet_there;
  return fields[47] == fields[48] ? environment::empty : environment::there;
}

bool is_marked(int pid, const std::string& mark) {
  for (;;) {
    const std::string text = slurp("/proc/" + std::to_string(pid) + "/environ");
    if (!text.empty()) return ('\0' + text).find('\0' + mark + '\0') != std::string::npos;
    const environment why = environment_of(pid);
    if (why == environment::absent || why == environment::empty) return false;
    // The kernel announces the end of an exec to nobody.
    if (why == environment::not_yet_there) poll(nullptr, 0, 1);
  }
}

}  // namespace

std::vector<int> numbers_in(const std::string& directory) {
  std::vector<int> numbers;
  for (const std::string& name : names_in(directory)) {
    if (is_number(name)) numbers.push_back(std::stoi(name));
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void mark_family() {
  // An inherited mark is kept: a test program that a test starts belongs to that test.
  setenv(family_variable, std::to_string(getpid()).c_str(), 0);
}

std::vector<process_info> family(int root) {
  const char* value = std::getenv(family_variable);
  const std::string mark = std::string(family_variable) + "=" + (value != nullptr ? value : "");
  std::vector<process_info> all;
  for (const int pid : numbers_in("/proc")) {
    process_info info;
    if (read_process(pid, info)) all.push_back(info);
  }
  std::set<int> members{root};
  for (const process_info& info : all) {
    if (value != nullptr && is_marked(info.pid, mark)) members.insert(info.pid);
  }
  for (bool grew = true; grew;) {
    grew = false;
    for (const process_info& info : all) {
      if (members.count(info.parent) != 0 && members.insert(info.pid).second) grew = true;
    }
  }
  std::vector<process_info> found;
  for (const process_info& info : all) {
    if (info.pid != root && info.pid != getpid() && members.count(info.pid) != 0) found.push_back(info);
  }
  return found;
}

long resident_kibibytes(int pid) {
  const std::string directory = pid == 0 ? "self" : std::to_string(pid);
  std::istringstream status(slurp("/proc/" + directory + "/status"));
  for (std::string word; status >> word;) {
    long kibibytes = 0;
    if (word == "VmRSS:" && status >> kibibytes) return kibibytes;
  }
  return -1;
}

std::map<int, std::string> threads() {
  std::map<int, std::string> found;
  for (const int tid : numbers_in("/proc/self/task")) {
    found[tid] = without_newline(slurp("/proc/self/task/" + std::to_string(tid) + "/comm"));
  }
  return found;
}

std::map<int, std::string> descriptors() {
  std::map<int, std::string> found;
  for (const int number : numbers_in("/proc/self/fd")) {
    char target[512];
    // The one that numbers_in() read the directory through is closed by now, so it does not show.
    const ssize_t length =
        readlink(("/proc/self/fd/" + std::to_string(number)).c_str(), target, sizeof target);
    if (length >= 0) found[number] = std::string(target, static_cast<std::size_t>(length));
  }
  return found;
}

std::vector<std::string> shared_memory_names() {
  std::vector<std::string> names;
  for (const std::string& name : names_in("/dev/shm")) {
    if (name.find("tandem") != std::string::npos) names.push_back(name);
  }
  return names;
}

}  // namespace tandem::test
