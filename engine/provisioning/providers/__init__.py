"""The clouds behind one interface (`base.Provider`): aws, its sandbox, upcloud, local; `registry` names them all."""
