using Headstart.Data;
using Headstart.Models;
using Headstart.Reports;
using Headstart.Versions;
using Headstart.Web.Parts;
using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using MudBlazor;

namespace Headstart.Web;

/// <summary>Base of the image and text pages: listens for uploads and loads the newest report.</summary>
public abstract class ExamplesPage : ModelPage
{
    private DotNetObjectReference<ExamplesPage>? _self;

    [Inject] private IDialogService Dialogs { get; set; } = default!;

    /// <summary>The report of the newest version; null if there is none.</summary>
    protected Report? Report { get; private set; }

    protected override async Task LoadAsync()
    {
        _self = DotNetObjectReference.Create(this);
        await Scripts.InvokeVoidAsync("headstart.listen", _self);
        await LoadExamplesAsync();
        if ((await Api.GetAsync<Page<VersionResponse>>($"{Path}/versions?limit=1")).Value is { Items: [var newest] })
        {
            Report = (await Api.GetAsync<Report>($"{Path}/versions/{newest.Number}/report")).Value;
        }
    }

    protected abstract Task LoadExamplesAsync();

    /// <summary>Loads examples added since the last load.</summary>
    protected abstract Task LoadNewAsync();

    /// <summary>Called by uploads.js after each upload.</summary>
    [JSInvokable]
    public async Task Uploaded(Guid model)
    {
        if (model == Id)
        {
            await CameAsync();
            StateHasChanged();
        }
    }

    /// <summary>Reloads after examples or categories were added.</summary>
    protected async Task CameAsync()
    {
        if (Left.IsCancellationRequested)
        {
            return; // undone from another page
        }

        await LoadModelAsync();
        await LoadNewAsync();
    }

    protected async Task AddCategoryAsync()
    {
        var dialog = await Dialogs.ShowAsync<TextDialog>("Add category",
            new DialogParameters<TextDialog> { { d => d.Label, "Name" }, { d => d.Do, "Add" } });
        if (await dialog.Result is { Canceled: false, Data: string name }
            && Worked(await Api.PatchAsync<ModelResponse>(Path,
                new { categories = Model!.Categories.Select(c => c.Name).Append(name.Trim()) })))
        {
            await LoadModelAsync();
        }
    }

    /// <summary>Asks for a new name; if another category has it, offers to merge the two.</summary>
    protected async Task RenameCategoryAsync(string category)
    {
        var dialog = await Dialogs.ShowAsync<TextDialog>($"Rename {category}",
            new DialogParameters<TextDialog> { { d => d.Label, "Name" }, { d => d.Text, category }, { d => d.Do, "Rename" } });
        if (await dialog.Result is not { Canceled: false, Data: string given } || Names.Clean(given) is var name && name == category)
        {
            return;
        }

        if (!Model!.Categories.Any(c => c.Name == name))
        {
            await ChangeCategoriesAsync("rename", new CategoryRename(category, name), $"{category} renamed to {name}");
        }
        else if (await Dialogs.ShowMessageBoxAsync($"Merge {category} into {name}?",
            $"The model already has a category {name}. It would get the {Model.Kind.Nouns()} of {category}.", yesText: "Merge",
            cancelText: "Cancel") is true)
        {
            await MergeAsync(([category, name], name));
        }
    }

    /// <summary>Merges a group of categories into one of them.</summary>
    protected Task MergeAsync((IReadOnlyList<string> Group, string Into) merge)
    {
        List<string> from = [.. merge.Group.Where(name => name != merge.Into)];
        return ChangeCategoriesAsync("merge", new CategoryMerge(from, merge.Into), $"{SimilarNames.Listed(from)} merged into {merge.Into}");
    }

    private async Task ChangeCategoriesAsync(string how, object request, string what)
    {
        var answer = await Api.PostAsync<CategoryChangeResponse>($"{Path}/categories/{how}", request);
        if (!Worked(answer))
        {
            return;
        }

        var change = answer.Value!;
        Renamed(change.From, change.Into);
        await ReloadAsync();
        Undoable(what, async () =>
        {
            if (Worked(await Api.PostAsync<CategoryChangeResponse>($"{Path}/categories/changes/{change.Id}/undo"))
                && change is { Merged: false, From: [var old] })
            {
                Renamed([change.Into], old);
            }

            await ReloadAsync();
        }, shown: 10_000);
    }

    /// <summary>Called when categories got another name, before the examples are loaded again: filters follow.</summary>
    protected virtual void Renamed(IReadOnlyList<string> from, string into)
    {
    }

    /// <summary>Says what was done, with a button to undo it.</summary>
    /// <param name="shown">For how many milliseconds.</param>
    protected MudBlazor.Snackbar? Undoable(string what, Func<Task> undo, int shown = 7_000) =>
        Snackbar.Add(what, Severity.Normal, options =>
        {
            options.VisibleStateDuration = shown;
            options.RequireInteraction = false; // because an action turns it on
            options.DuplicatesBehavior = SnackbarDuplicatesBehavior.Allow; // an equal message undoes something else
            options.Action = "Undo";
            options.OnClick = _ => InvokeAsync(async () =>
            {
                await undo();
                StateHasChanged();
            });
        });

    private async Task ReloadAsync()
    {
        if (Left.IsCancellationRequested)
        {
            return; // undone from another page
        }

        await LoadModelAsync();
        await LoadExamplesAsync();
        StateHasChanged();
    }

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_self is not null)
        {
            try
            {
                await Scripts.InvokeVoidAsync("headstart.forget", _self);
            }
            catch (JSDisconnectedException)
            {
                // The browser has disconnected, and its listeners are gone.
            }

            _self.Dispose();
        }

        await base.DisposeAsync();
    }
}
