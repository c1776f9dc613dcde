"""A stand-in for upstream's sources: their interface as far as an image needs it, and an interpreter that adds 1."""

from __future__ import annotations

from pathlib import Path

_COMMON = """\
#pragma once
#include <cstddef>
#include <cstdint>
enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };
union TfLitePtrUnion { char *raw; int8_t *int8; };
struct TfLiteTensor { TfLitePtrUnion data; size_t bytes; };
"""
_SCHEMA = """\
#pragma once
namespace tflite {
struct Model;
inline const Model *GetModel(const void *buffer) { return static_cast<const Model *>(buffer); }
}
"""
_RESOLVER = """\
#pragma once
#include "tensorflow/lite/c/common.h"
namespace tflite {
class MicroOpResolver {
 public:
  virtual ~MicroOpResolver() {}
  virtual unsigned count() const = 0;
};
template <unsigned most>
class MicroMutableOpResolver : public MicroOpResolver {
 public:
%(methods)s
  unsigned count() const override { return count_; }
 private:
  TfLiteStatus add() { return count_++ < most ? kTfLiteOk : kTfLiteError; }
  unsigned count_ = 0;
};
}
"""
_INTERPRETER_H = """\
#pragma once
#include "tensorflow/lite/c/common.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"
namespace tflite {
class MicroInterpreter {
 public:
  MicroInterpreter(const Model *model, const MicroOpResolver &resolver, uint8_t *arena, size_t arena_size);
  ~MicroInterpreter();
  TfLiteStatus AllocateTensors();
  TfLiteStatus Invoke();
  TfLiteTensor *input(size_t i) { return i == 0 ? &input_ : nullptr; }
  TfLiteTensor *output(size_t i) { return i == 0 ? &output_ : nullptr; }
  size_t arena_used_bytes() const { return %(used)d; }
 private:
  const Model *model_;
  const MicroOpResolver &resolver_;
  uint8_t *arena_;
  size_t arena_size_;
  TfLiteTensor input_, output_;
};
}
"""
_INTERPRETER_CC = """\
#include "tensorflow/lite/micro/micro_interpreter.h"
#include <cmath>
namespace tflite {
MicroInterpreter::MicroInterpreter(const Model *model, const MicroOpResolver &resolver, uint8_t *arena, size_t size)
    : model_(model), resolver_(resolver), arena_(arena), arena_size_(size) {}
MicroInterpreter::~MicroInterpreter() {}
TfLiteStatus MicroInterpreter::AllocateTensors() {
  if (arena_size_ < %(used)d || resolver_.count() != %(ops)d) return kTfLiteError;
  if (reinterpret_cast<const char *>(model_)[4] != 'T') return kTfLiteError; /* a .tflite: TFL3 at 4 */
  input_ = {{reinterpret_cast<char *>(arena_) + 32}, %(inputs)d};
  output_ = {{reinterpret_cast<char *>(arena_) + 32 + %(inputs)d}, %(outputs)d};
  return kTfLiteOk;
}
TfLiteStatus MicroInterpreter::Invoke() {
  for (size_t i = 0; i < output_.bytes; i++) {
    output_.data.int8[i] = static_cast<int8_t>(input_.data.int8[i] + std::lround(std::cos(0.0)));
  }
  return kTfLiteOk;
}
}
"""


def write_double(root: Path, methods: list[str], input_bytes: int, output_bytes: int) -> int:
    """Writes the tree to `root`; its resolver knows `methods`. Returns the bytes of arena that it wants."""
    used = 32 + input_bytes + output_bytes
    values = {
        **{"used": used, "ops": len(methods), "inputs": input_bytes, "outputs": output_bytes},
        "methods": "\n".join(f"  TfLiteStatus {name}() {{ return add(); }}" for name in methods),
    }
    files = {
        "c/common.h": _COMMON,
        "schema/schema_generated.h": _SCHEMA,
        "micro/micro_mutable_op_resolver.h": _RESOLVER,
        "micro/micro_interpreter.h": _INTERPRETER_H,
        "micro/micro_interpreter.cc": _INTERPRETER_CC,
        "micro/micro_interpreter_test.cc": "#error tests are not compiled",
        "micro/examples/hello/main.cc": "#error examples are not compiled",
    }
    for name, text in files.items():
        path = root / "tensorflow" / "lite" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text % values if "%(" in text else text)
    return used
