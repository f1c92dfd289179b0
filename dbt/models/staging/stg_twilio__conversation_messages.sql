{{ staged('conversation_messages', [
  ['sid', 'text'],
  ['account_sid', 'text'],
  ['conversation_sid', 'text'],
  ['participant_sid', 'text'],
  ['index', 'integer', 'place'],
  ['author', 'text'],
  ['date_created', 'moment']
]) }}
