// Files on systems of POSIX: links, modes, owners, processes that are killed, full disks.

#include <grp.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <strata/io/common/atomic_file.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/safetensors.hpp>
#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/content.hpp"
#include "support/error_text.hpp"
#include "support/small_files.hpp"
#include "support/temporary_folder.hpp"

using namespace strata;
using namespace strata::io;
using test::Contains;
using test::content;
using test::error_text;

TEST_CASE("a pipe does not say how much comes", "[io]") {
  const test::TemporaryFolder folder;
  const std::string pipe = (folder / "pipe").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::ofstream(pipe) << std::string(100'000, 'x');
    ::_exit(0);
  }
  const Source stream(pipe);
  CHECK(stream.head(5).size() == 5);
  CHECK(stream.size() == 100'000);
  CHECK(stream.text() == std::string(100'000, 'x'));
  ::waitpid(child, nullptr, 0);
}

TEST_CASE("a link stays a link, and permissions stay", "[io]") {
  const test::TemporaryFolder folder;
  const auto path = folder / "model";
  write_file(path, "first");
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  std::filesystem::create_symlink(path, folder / "link");
  write_file(folder / "link", "third");
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(content(path) == "third");
  CHECK(std::filesystem::status(path).permissions() == std::filesystem::perms(0640));
}

TEST_CASE("what a killed program left is removed", "[io]") {
  const test::TemporaryFolder folder;
  const auto path = folder / "model";
  std::filesystem::create_symlink(path, folder / "link");
  const auto written_by_others = [&] { return folder.count() - 1; };
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t writer = ::fork();
  REQUIRE(writer >= 0);
  if (writer == 0) {
    AtomicFile file(folder / "link");
    file.write("half");
    (void)!::write(ready[1], "x", 1);
    while (true) ::pause();
  }
  char letter;
  REQUIRE(::read(ready[0], &letter, 1) == 1);
  ::close(ready[0]);
  ::close(ready[1]);
  REQUIRE(written_by_others() == 1);

  // Of a writer that lives, seen from another container too, where the system permits one.
  remove_leftovers(path);
  CHECK(written_by_others() == 1);
  const pid_t container = ::fork();
  REQUIRE(container >= 0);
  if (container == 0) {
    (void)::unshare(CLONE_NEWPID);
    const pid_t inner = ::fork();
    if (inner == 0) remove_leftovers(path);
    if (inner > 0) ::waitpid(inner, nullptr, 0);
    ::_exit(0);
  }
  ::waitpid(container, nullptr, 0);
  CHECK(written_by_others() == 1);

  // Of another file of the folder.
  REQUIRE(::kill(writer, SIGKILL) == 0);
  REQUIRE(::waitpid(writer, nullptr, 0) == writer);
  remove_leftovers(folder / "models");
  CHECK(written_by_others() == 1);
  // The link's target is what was written.
  remove_leftovers(folder / "link");
  CHECK(written_by_others() == 0);

  const std::string name = temporary_name("model", true);
  for (const std::string& alike : std::vector<std::string>{
           name + ".notes", "x" + name, "model.tmp1234567", "model.tmp1234567.notes",
           name.substr(0, name.size() - 5) + "g.tmp", temporary_name("model", false)}) {
    INFO(alike);
    std::ofstream(folder / alike) << "of somebody else";
    remove_leftovers(path);
    CHECK(std::filesystem::remove(folder / alike));
  }
  std::ofstream(folder / name) << "half";
  remove_leftovers(path);
  CHECK(written_by_others() == 0);
}

TEST_CASE("a written file keeps what the system lets it keep", "[io]") {
  const test::TemporaryFolder folder;
  for (const std::size_t length : {std::size_t{250}, std::size_t{255}}) {
    const auto longest = folder / std::string(length, 'a');
    write_file(longest, "first");
    CHECK(content(longest) == "first");
  }
  CHECK(error_text<FileError>([&] { write_file(folder / std::string(256, 'a'), "a"); }) ==
        Contains{"cannot be written: File name too long"});

  // A link to a file that is not there yet.
  const auto path = folder / "model";
  std::filesystem::create_symlink("model", folder / "link");
  write_file(folder / "link", "first");
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(content(path) == "first");

  struct stat found {};
  REQUIRE(::chmod(path.c_str(), 06755) == 0);
  write_file(path, "second");
  REQUIRE(::stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 07777) == 0755);

  // Only the superuser can give files to others.
  if (::geteuid() != 0) return;
  constexpr uid_t other = 65534;
  REQUIRE(::chown(path.c_str(), other, other) == 0);
  write_file(path, "third");
  REQUIRE(::stat(path.c_str(), &found) == 0);
  CHECK(found.st_uid == other);
  CHECK(found.st_gid == other);

  // As another user: the file is the superuser's, everybody may write to it.
  REQUIRE(::chown(path.c_str(), 0, 0) == 0);
  REQUIRE(::chmod(path.c_str(), 0676) == 0);
  REQUIRE(::chmod(folder.path().c_str(), 0777) == 0);
  const auto as_other = [&](const auto& work) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      if (::setgroups(0, nullptr) != 0 || ::setgid(other) != 0 || ::setuid(other) != 0) ::_exit(2);
      try {
        work();
      } catch (const FileError& error) {
        ::_exit(std::string(error.what()).ends_with("cannot be written: Permission denied") ? 1
                                                                                            : 3);
      }
      ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WEXITSTATUS(status);
  };
  CHECK(as_other([&] { write_file(path, "fourth"); }) == 0);
  CHECK(content(path) == "fourth");
  REQUIRE(::stat(path.c_str(), &found) == 0);
  CHECK(found.st_uid == other);
  // The group could not be kept, and the new one gets no more than everybody had.
  CHECK((found.st_mode & 07777) == 0666);
  REQUIRE(::chmod(path.c_str(), 0444) == 0);
  CHECK(as_other([&] { write_file(path, "fifth"); }) == 1);
  CHECK(content(path) == "fourth");
}

TEST_CASE("a full disk leaves the file before", "[io]") {
  const test::TemporaryFolder folder;
  const auto path = folder / "model";
  write_file(path, "first");
  {
    const test::SmallFiles full(4096);
    CHECK(error_text<FileError>([&] { write_file(path, std::string(100000, 'x')); }) ==
          Contains{"model: cannot be written"});
  }
  CHECK(content(path) == "first");
  CHECK(folder.count() == 1);
}

TEST_CASE("a model is saved without copies of its weights", "[io][memory_use]") {
  const test::TemporaryFolder folder;
  const auto path = folder / "large.safetensors";
  constexpr Index units = 2000;
  Sequential model{Input{units}, Dense{units}};
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto most_memory = [] {
      struct rusage used {};
      ::getrusage(RUSAGE_SELF, &used);
      return used.ru_maxrss;
    };
    const auto before = most_memory();
    save(path, model);
    const auto kilobytes_of_weights =
        static_cast<long>(units * units * Index{sizeof(float)} / 1024);
    ::_exit(most_memory() - before < kilobytes_of_weights / 2 ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(std::filesystem::file_size(path) > units * units * sizeof(float));
}
