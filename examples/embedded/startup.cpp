// What runs before main on a Cortex-M7 without an operating system: the table of vectors, which
// switches the floating-point unit on, fills the memory and calls main. Output goes to the debugger
// by semihosting, which newlib's librdimon does.

#include <cstddef>
#include <cstdio>
#include <cstdlib>

extern "C" {

// From the linker script mps2-an500.ld.
extern unsigned stack_top, data_load, data_begin, data_end, bss_begin, bss_end;
extern char end;

void __libc_init_array();
void initialise_monitor_handles();
void* _sbrk(int);
int main();

/// Fills the words below the stack, to see afterwards how many of them the program has used.
constexpr unsigned untouched = 0xA5A5A5A5;
constexpr std::size_t watched = 16384;

[[noreturn]] void reset() {
  constexpr std::size_t coprocessor_access = 0xE000ED88;
  *reinterpret_cast<volatile unsigned*>(coprocessor_access) |= 0xFu << 20;
  asm volatile("dsb\nisb");
  const unsigned* from = &data_load;
  for (unsigned* to = &data_begin; to != &data_end;) *to++ = *from++;
  for (unsigned* to = &bss_begin; to != &bss_end;) *to++ = 0;
  auto* const here = static_cast<unsigned*>(__builtin_frame_address(0)) - 16;
  for (std::size_t i = 1; i <= watched; ++i) here[-static_cast<std::ptrdiff_t>(i)] = untouched;
  initialise_monitor_handles();
  __libc_init_array();
  const int status = main();
  std::size_t left = 0;
  while (left < watched && here[static_cast<std::ptrdiff_t>(left - watched)] == untouched) ++left;
  std::fprintf(stderr, "heap %u stack %u\n",
               static_cast<unsigned>(static_cast<char*>(_sbrk(0)) - &end),
               static_cast<unsigned>((&stack_top - here + watched - left) * sizeof(unsigned)));
  std::exit(status);
}

[[noreturn]] void fault() {
  for (;;) asm volatile("");
}

[[gnu::used, gnu::section(".vectors")]] void* const vectors[] = {
    &stack_top, reinterpret_cast<void*>(reset), reinterpret_cast<void*>(fault),
    reinterpret_cast<void*>(fault)};

void* __dso_handle = nullptr;
void _init() {}
void _fini() {}

/// Random numbers of the hardware, for std::random_device. This board has none, and the program
/// asks for none.
int getentropy(void*, std::size_t) { return -1; }
}
