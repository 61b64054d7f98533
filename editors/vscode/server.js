// The command that starts the language server, from the settings.

'use strict';

function serverCommand(command) {
  const words = Array.isArray(command) ? command.filter((part) => typeof part === 'string') : [];
  const [program, ...args] = words.length > 0 ? words : ['grouper', 'lsp'];
  return { command: program, args };
}

function failure(error, command) {
  const line = [command.command, ...command.args].join(' ');
  return (
    `grouper's language server does not start (${line}): ${error.message}. ` +
    'Install grouper and pygls (`pip install pygls`), and set `grouper.command` to its path.'
  );
}

module.exports = { serverCommand, failure };
