// What starts the language server, from the settings.

'use strict';

function serverCommand(command) {
  const given = Array.isArray(command) ? command.filter((part) => typeof part === 'string') : [];
  const [program, ...args] = given.length > 0 ? given : ['grouper', 'lsp'];
  return { command: program, args };
}

function failure(error, command) {
  const line = [command.command, ...command.args].join(' ');
  return (
    `grouper's language server does not start (${line}): ${error.message}. ` +
    'Install grouper and pygls (`pip install pygls`), and set `grouper.command` to where it is.'
  );
}

module.exports = { serverCommand, failure };
