// posix::cache_domains on machines that this one is not.
#include "posix/cache_domain.hpp"

#include "support/fake_root.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using tandem::posix::cache_domains;
using tandem::test::fake_root;

const std::string cpus = "/sys/devices/system/cpu/";

void shares(const fake_root& root, int cpu, int level, const std::string& with) {
  root.write(cpus + "cpu" + std::to_string(cpu) + "/cache/index" + std::to_string(level) + "/shared_cpu_list",
             with + "\n");
}

TEST(CacheDomains, AreThoseOfTheLastLevel) {
  const fake_root root;
  root.write(cpus + "online", "0-7\n");
  for (int cpu = 0; cpu < 8; ++cpu) {
    shares(root, cpu, 0, std::to_string(cpu));
    shares(root, cpu, 1, cpu % 4 < 2 ? "0-1,4-5" : "2-3,6-7");
  }
  EXPECT_EQ(cache_domains(root.path()), (std::vector<int>{0, 0, 1, 1, 0, 0, 1, 1}));
}

TEST(CacheDomains, SkipWhatIsOffline) {
  const fake_root root;
  root.write(cpus + "online", "1,4-5\n");
  shares(root, 1, 0, "1");
  shares(root, 4, 0, "4-5");
  EXPECT_EQ(cache_domains(root.path()), (std::vector<int>{0, 0, 0, 0, 1, 1}));
}

TEST(CacheDomains, AreOneWhereNothingIsTold) {
  const fake_root root;
  EXPECT_EQ(cache_domains(root.path()), (std::vector<int>{0}));
  root.write(cpus + "online", "0-2\n");
  EXPECT_EQ(cache_domains(root.path()), (std::vector<int>{0, 0, 0}));
  root.write(cpus + "online", "nonsense\n");
  EXPECT_EQ(cache_domains(root.path()), (std::vector<int>{0}));
}

TEST(CacheDomains, ListsThatLieHarmNobody) {
  const fake_root root;
  root.write(cpus + "online", "0-1\n");
  shares(root, 0, 0, "5-9,0,x");
  shares(root, 1, 0, "");
  EXPECT_EQ(cache_domains(root.path()), (std::vector<int>{0, 0}));
}

TEST(CacheDomains, ThisThreadIsInOneOfThem) {
  const std::vector<int> all = cache_domains();
  const int mine = tandem::posix::current_cache_domain();
  EXPECT_NE(std::find(all.begin(), all.end(), mine), all.end());
}

}  // namespace
