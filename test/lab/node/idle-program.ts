/**
 * The smallest ELF executable that waits for a signal and looks at no argument. No compiler is
 * needed where the lab runs.
 *
 * @throws Error for processors other than x64 and arm64.
 */
export function idleProgram(arch: string): Buffer {
  const processor = processors.get(arch);
  if (processor === undefined) throw new Error(`No idle program for ${arch}`);
  const { machine, code } = processor;
  const program = Buffer.alloc(headerBytes + code.length);
  const address = 0x400000;

  // File header: 64 bits, little endian, executable, one program header right behind this one.
  program.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  program.writeUInt16LE(2, 16);
  program.writeUInt16LE(machine, 18);
  program.writeUInt32LE(1, 20);
  program.writeUInt32LE(address + headerBytes, 24);
  program.writeUInt32LE(64, 32);
  program.writeUInt16LE(64, 52);
  program.writeUInt16LE(56, 54);
  program.writeUInt16LE(1, 56);

  // Program header: load the whole file, to be read and executed.
  program.writeUInt32LE(1, 64);
  program.writeUInt32LE(5, 68);
  program.writeUInt32LE(address, 80);
  program.writeUInt32LE(address, 88);
  program.writeUInt32LE(program.length, 96);
  program.writeUInt32LE(program.length, 104);
  program.writeUInt32LE(0x10000, 112);

  program.set(code, headerBytes);
  return program;
}

const headerBytes = 64 + 56;

const processors = new Map([
  // mov eax, 34 (pause); syscall; jmp to the start
  ['x64', { machine: 62, code: Buffer.from('b8220000000f05ebf7', 'hex') }],
  // mov x0..x4, 0; mov x8, 73 (ppoll); svc 0; b to the start
  [
    'arm64',
    {
      machine: 183,
      code: Buffer.from('000080d2010080d2020080d2030080d2040080d2280980d2010000d4f9ffff17', 'hex'),
    },
  ],
]);
