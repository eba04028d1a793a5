// npm start: sets up what is missing, then boots the embedded machine with two harts and shows its proof.

process.argv.splice(2, process.argv.length, "prove", "--machine", "sim", "--smp", "2", ...process.argv.slice(2));
await import("../bin/hartbeat.js");
